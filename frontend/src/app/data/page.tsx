import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { datasets, ingestions } from '../../data/datasets'
import { useMay } from '../../data/hooks'
import { count, digest } from '../../lib/format'
import { paths } from '../../lib/paths'
import { Async, Button, Link, Listing, Page, Stack, Time, type Column } from '../../ui'
import type { Dataset } from '../../data/schema'
import { IngestionList } from './IngestionList'
import { NewDataset } from './NewDataset'
import { UploadCard } from './UploadCard'

const columns: Column<Dataset>[] = [
  { id: 'name', header: 'Dataset', cell: (d) => <Link href={paths.dataset(d.id)}>{d.name}</Link>, sort: (d) => d.name },
  { id: 'latest', header: 'Newest version', cell: (d) => (d.latest ? <Link href={paths.datasetVersion(d.id, d.latest)}>version {d.latest}</Link> : 'none yet'), sort: (d) => d.latest },
  { id: 'rows', header: 'Rows', cell: (d) => count(d.rows), sort: (d) => d.rows },
  { id: 'licence', header: 'Licence, consent', cell: (d) => [d.licence, d.consent].filter(Boolean).join(', ') || '—' },
  { id: 'owner', header: 'Owner', cell: (d) => d.owner?.name ?? digest(d.owner?.id) },
  { id: 'created', header: 'Created', cell: (d) => <Time at={d.created} />, sort: (d) => d.created },
]

export default function DataPage() {
  const all = useQuery(datasets.list())
  const arrivals = useQuery(ingestions.list())
  const write = useMay('data:write')
  const [adding, setAdding] = useState(false)
  const add = <Button disabled={!write.ok} disabledReason={write.why} onClick={() => setAdding(true)}>Add dataset</Button>
  return (
    <Page title="Data" description="What the models learn from. Every file is checked before it may be learned.">
      <Async query={all} label="Reading datasets">
        {({ items }) => (
          <Stack size="l">
            {items.length > 0 && <UploadCard datasets={items} />}
            <Listing title="Datasets" items={items} columns={columns} actions={add} trackBy={(d) => d.id}
              empty={{ title: 'No datasets yet', text: 'A dataset gathers files about one thing, such as the answers of the support desk.', action: add }} />
          </Stack>
        )}
      </Async>
      <Async query={arrivals} label="Reading arrivals">
        {(list) => <IngestionList list={list} />}
      </Async>
      {adding && <NewDataset onClose={() => setAdding(false)} />}
    </Page>
  )
}
