import { useQuery } from '@tanstack/react-query'
import { useParams, useRouter, useSearch } from '@tanstack/react-router'
import { datasets, ingestions } from '../../../data/datasets'
import { count } from '../../../lib/format'
import { paths } from '../../../lib/paths'
import { Async, Facts, Card, Page, Tabs, Time, Stack } from '../../../ui'
import type { Dataset } from '../../../data/schema'
import { IngestionList } from '../IngestionList'
import { UploadCard } from '../UploadCard'
import { Versions } from './Versions'

export default function DatasetPage() {
  const { dataset } = useParams({ strict: false }) as { dataset: string }
  const { tab } = useSearch({ strict: false }) as { tab?: string }
  const router = useRouter()
  const one = useQuery(datasets.one(dataset))
  const versions = useQuery(datasets.versions(dataset))
  const arrivals = useQuery(ingestions.list(dataset))
  return (
    <Page title={one.data?.name ?? dataset} trail={[['Data', paths.data()]]} description={one.data?.description}>
      <Async query={one} label="Reading the dataset">
        {(d) => (
          <Stack size="l">
            <About dataset={d} />
            <UploadCard datasets={[d]} />
            <Tabs
              activeTabId={tab ?? 'versions'}
              onChange={(e) => router.history.push(paths.dataset(dataset, e.detail.activeTabId))}
              tabs={[
                { id: 'versions', label: 'Versions', content: <Async query={versions}>{(items) => <Versions items={items} />}</Async> },
                { id: 'arrivals', label: 'Arrivals', content: <Async query={arrivals}>{(list) => <IngestionList list={list} dataset={dataset} />}</Async> },
              ]}
            />
          </Stack>
        )}
      </Async>
    </Page>
  )
}

function About({ dataset: d }: { dataset: Dataset }) {
  return (
    <Card>
      <Facts columns={4} items={[
        { label: 'Newest version', value: d.latest || 'none yet' },
        { label: 'Rows', value: count(d.rows) },
        { label: 'Licence, consent', value: [d.licence, d.consent].filter(Boolean).join(', ') || 'not stated' },
        { label: 'Owner', value: <>{d.owner?.name ?? 'nobody'}, since <Time at={d.created} /></> },
      ]} />
    </Card>
  )
}
