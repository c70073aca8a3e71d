import { useQuery } from '@tanstack/react-query'
import { useRouter, useSearch } from '@tanstack/react-router'
import { useState } from 'react'
import { useMay } from '../../data/hooks'
import { models } from '../../data/models'
import { runs } from '../../data/runs'
import type { RunStatus } from '../../data/schema'
import { paths } from '../../lib/paths'
import { Async, Button, Link, Listing, Page, runWords, Select, Stack } from '../../ui'
import { runColumns } from './columns'
import { NewRun } from './NewRun'

const statuses: RunStatus[] = ['Queued', 'Training', 'Evaluating', 'Judged', 'Failed', 'Cancelled']

export default function RunsPage() {
  const filter = useSearch({ strict: false }) as { model?: string; status?: RunStatus }
  const all = useQuery(runs.list(filter))
  const may = useMay('runs:write')
  const [open, setOpen] = useState(false)
  const start = <Button variant="primary" disabled={!may.ok} disabledReason={may.why} onClick={() => setOpen(true)}>Start training</Button>
  const filtered = filter.model !== undefined || filter.status !== undefined
  return (
    <Page title="Training runs" trail={[['Models', paths.models()]]} description="From the plan to the gate’s verdict." actions={start}>
      <Async query={all} label="Reading runs">
        {({ items, nextCursor }) => (
          <Listing title="Runs" items={items} more={!!nextCursor} columns={runColumns} trackBy={(r) => r.id} filters={<Filters filter={filter} />} search={(r) => `${r.id} ${r.model} ${r.preset}`}
            empty={filtered
              ? { title: 'No run like that', text: 'Other runs are filtered out.', action: <Link href={paths.runs()}>Show all runs</Link> }
              : { title: 'No training yet', text: 'New data starts it by a trigger, or start it by hand.', action: start }} />
        )}
      </Async>
      {open && <NewRun model={filter.model} onClose={() => setOpen(false)} />}
    </Page>
  )
}

function Filters({ filter }: { filter: { model?: string; status?: RunStatus } }) {
  const router = useRouter()
  const all = useQuery(models.list())
  const go = (next: { model?: string; status?: string }) => router.history.push(paths.runs({ ...filter, ...next }))
  const modelOptions = [{ value: '', label: 'All models' }, ...(all.data?.items ?? []).map((m) => ({ value: m.id, label: m.name }))]
  const statusOptions = [{ value: '', label: 'Any state' }, ...statuses.map((s) => ({ value: s as string, label: runWords(s) }))]
  return (
    <Stack direction="horizontal" size="xs">
      <Select ariaLabel="Model" options={modelOptions} selectedOption={modelOptions.find((o) => o.value === (filter.model ?? '')) ?? null} onChange={(e) => go({ model: e.detail.selectedOption.value })} />
      <Select ariaLabel="State" options={statusOptions} selectedOption={statusOptions.find((o) => o.value === (filter.status ?? '')) ?? null} onChange={(e) => go({ status: e.detail.selectedOption.value })} />
    </Stack>
  )
}
