import { useCollection } from '@cloudscape-design/collection-hooks'
import type { ReactNode } from 'react'
import Box from '@cloudscape-design/components/box'
import Header from '@cloudscape-design/components/header'
import Pagination from '@cloudscape-design/components/pagination'
import Table, { type TableProps } from '@cloudscape-design/components/table'
import TextFilter from '@cloudscape-design/components/text-filter'
import { count } from '../lib/format'
import { Empty } from './Async'

export interface Column<T> {
  id: string
  header: string
  cell: (item: T) => ReactNode
  sort?: (item: T) => string | number
  width?: number
  minWidth?: number
}

interface Props<T> {
  title: string
  items: readonly T[]
  columns: Column<T>[]
  empty: { title: string; text: ReactNode; action?: ReactNode }
  description?: ReactNode
  actions?: ReactNode
  filters?: ReactNode
  variant?: TableProps['variant']
  search?: (item: T) => string
  trackBy?: (item: T) => string
  more?: boolean // there are others, which are not loaded
}

const pageSize = 25

function sorted<T>({ sort, ...c }: Column<T>): TableProps.ColumnDefinition<T> {
  if (!sort) return c
  const by = (a: T, b: T) => (sort(a) < sort(b) ? -1 : sort(a) > sort(b) ? 1 : 0)
  return { ...c, sortingComparator: by, sortingField: c.id }
}

/** A table with a head that counts, sorting, a filter for long lists, and words for when it is empty. */
export function Listing<T>({ title, items, columns, empty, search, variant = 'container', ...p }: Props<T>) {
  const nothing = <Empty title={empty.title} action={empty.action}>{empty.text}</Empty>
  const view = useCollection(items, {
    filtering: {
      empty: nothing,
      noMatch: <Empty title="Nothing matches">{p.more ? 'Only what is loaded was searched.' : `Clear the filter to see all ${items.length}.`}</Empty>,
      filteringFunction: (item, text) => !text || !!search?.(item).toLowerCase().includes(text.toLowerCase()),
    },
    pagination: { pageSize },
    sorting: {},
  })
  const long = items.length > pageSize
  return (
    <Table
      {...view.collectionProps}
      items={view.items}
      columnDefinitions={columns.map(sorted)}
      variant={variant}
      trackBy={p.trackBy}
      contentDensity="compact"
      wrapLines
      enableKeyboardNavigation
      header={<Header variant={variant === 'embedded' ? 'h3' : 'h2'} counter={`(${count(items.length)}${p.more ? '+' : ''})`} actions={p.actions} description={p.description}>{title}</Header>}
      filter={filterRow(long && !!search, p.filters, view, title)}
      pagination={long ? <Pagination {...view.paginationProps} ariaLabels={{ nextPageLabel: 'Next page', previousPageLabel: 'Previous page', paginationLabel: `Pages of ${title}` }} /> : undefined}
      ariaLabels={{ tableLabel: title }}
    />
  )
}

type View = { filterProps: object; filteredItemsCount: number | undefined }

function filterRow(searchable: boolean, filters: ReactNode, view: View, title: string): ReactNode {
  if (!searchable) return filters ? <Box>{filters}</Box> : undefined
  const text = (
    <TextFilter {...(view.filterProps as { filteringText: string })} filteringPlaceholder="Find" filteringAriaLabel={`Find in ${title}`} countText={`${view.filteredItemsCount ?? 0} found`} />
  )
  return filters ? <div className="filter-row">{filters}{text}</div> : text
}
