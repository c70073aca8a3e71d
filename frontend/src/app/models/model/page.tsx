import { useQuery } from '@tanstack/react-query'
import { useParams, useRouter, useSearch } from '@tanstack/react-router'
import { useState } from 'react'
import { useMay } from '../../../data/hooks'
import { models } from '../../../data/models'
import { runs } from '../../../data/runs'
import type { Model } from '../../../data/schema'
import { paths } from '../../../lib/paths'
import { Async, Button, Card, Facts, Listing, Page, Stack, Tabs } from '../../../ui'
import { BenchmarkLink, CopyId, DatasetLink } from '../../names'
import { runColumns } from '../../runs/columns'
import { ImportVersion } from './ImportVersion'
import { Trigger } from './Trigger'
import { Versions } from './Versions'

export default function ModelPage() {
  const { model: id } = useParams({ strict: false }) as { model: string }
  const { tab } = useSearch({ strict: false }) as { tab?: string }
  const router = useRouter()
  const model = useQuery(models.one(id))
  const may = useMay('models:write')
  const [importing, setImporting] = useState(false)
  const actions = <Stack direction="horizontal" size="xs"><Button disabled={!may.ok} disabledReason={may.why} onClick={() => setImporting(true)}>Import version</Button><Button href={paths.runs({ model: id })}>Train</Button><Button href={paths.deployment(id)}>Deployment</Button></Stack>
  return (
    <Page title={model.data?.name ?? id} trail={[['Models', paths.models()]]} actions={actions}>
      <Async query={model} label="Reading the model">
        {(m) => (
          <Stack size="l">
            <About model={m} />
            <Tabs activeTabId={tab ?? 'versions'} onChange={(e) => router.history.push(paths.model(id, e.detail.activeTabId))} tabs={[
              { id: 'versions', label: 'Versions', content: <VersionTab model={id} /> },
              { id: 'runs', label: 'Training runs', content: <RunTab model={id} /> },
              { id: 'trigger', label: 'Trigger', content: <Trigger model={id} /> },
              { id: 'canned', label: 'Canned prompts', content: <Canned model={m} /> },
            ]} />
          </Stack>
        )}
      </Async>
      {importing && <ImportVersion model={id} onClose={() => setImporting(false)} />}
    </Page>
  )
}

function About({ model: m }: { model: Model }) {
  return (
    <Card><Facts columns={4} items={[
      { label: 'Id', value: <span className="nowrap"><code>{m.id}</code> <CopyId id={m.id} of="the model" /></span> },
      { label: 'Learns from', value: <DatasetLink id={m.dataset} /> },
      { label: 'Guarded by', value: m.benchmarks.length ? m.benchmarks.map((b) => <div className="line" key={b}><BenchmarkLink id={b} /></div>) : 'nothing' },
      { label: 'Preset', value: m.preset },
    ]} /></Card>
  )
}

function VersionTab({ model }: { model: string }) {
  const all = useQuery(models.versions(model))
  return <Async query={all}>{({ items }) => <Versions items={items} />}</Async>
}

function RunTab({ model }: { model: string }) {
  const all = useQuery(runs.list({ model }))
  return <Async query={all}>{({ items, nextCursor }) => <Listing title="Training runs" items={items} more={!!nextCursor} columns={runColumns.filter((c) => c.id !== 'model')} trackBy={(r) => r.id} empty={{ title: 'No training yet', text: 'Set a trigger, or start it by hand under Training runs.' }} />}</Async>
}

function Canned({ model: m }: { model: Model }) {
  return (
    <Listing title="Canned prompts" description="Every healthy version answers these; a release that does not goes back." items={m.canned} trackBy={(c) => c.prompt}
      columns={[{ id: 'prompt', header: 'Prompt', cell: (c) => c.prompt }, { id: 'contains', header: 'The answer contains', cell: (c) => c.contains.split('|').join(' or ') }]}
      empty={{ title: 'No canned prompts', text: 'Without them a release is judged on errors and latency only.' }} />
  )
}
