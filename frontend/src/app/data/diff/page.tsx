import { useQuery } from '@tanstack/react-query'
import { useParams, useSearch } from '@tanstack/react-router'
import { datasets } from '../../../data/datasets'
import { useDatasetName } from '../../../data/hooks'
import { count } from '../../../lib/format'
import { paths } from '../../../lib/paths'
import { Async, Card, Empty, Facts, Header, Page, Stack } from '../../../ui'
import { Rows } from '../Rows'

export default function DatasetDiffPage() {
  const { dataset } = useParams({ strict: false }) as { dataset: string }
  const { base, other } = useSearch({ strict: false }) as { base?: number; other?: number }
  const trail: [string, string][] = [['Data', paths.data()], [useDatasetName(dataset), paths.dataset(dataset)]]
  if (!base || !other) {
    return <Page title="What changed" trail={trail}><Empty title="Which versions?">Open “what changed” beside a version of the dataset.</Empty></Page>
  }
  return <Page title={`What changed from version ${base} to ${other}`} trail={trail}><Diff dataset={dataset} base={base} other={other} /></Page>
}

function Diff(p: { dataset: string; base: number; other: number }) {
  const diff = useQuery(datasets.diff(p.dataset, p.base, p.other))
  return (
    <Async query={diff} label="Comparing">
      {(d) => (
        <Stack size="l">
          <Card><Facts columns={4} items={[
            { label: 'Rows added', value: d.added > 0 ? `+${count(d.added)}` : '0' }, { label: 'Rows removed', value: d.removed > 0 ? `−${count(d.removed)}` : '0' },
            { label: 'Answered differently', value: count(d.changed) }, { label: 'Unchanged', value: count(d.unchanged) },
          ]} /></Card>
          <Card header={<Header variant="h2">Some of the added rows</Header>}><Rows rows={d.examplesAdded.map((r) => r.body)} /></Card>
          {d.removed > 0 && <Card header={<Header variant="h2">Some of the removed rows</Header>}><Rows rows={d.examplesRemoved.map((r) => r.body)} /></Card>}
        </Stack>
      )}
    </Async>
  )
}
