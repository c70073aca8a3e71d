import { useQuery } from '@tanstack/react-query'
import { useParams } from '@tanstack/react-router'
import { useState } from 'react'
import { useAction } from '../../../data/action'
import { datasets, ingestions, retractVersion } from '../../../data/datasets'
import { useDatasetName, useMay } from '../../../data/hooks'
import type { DatasetVersion } from '../../../data/schema'
import { bytes, count, plural } from '../../../lib/format'
import { paths } from '../../../lib/paths'
import { shortIds } from '../../../lib/subjects'
import { Alert, Async, Button, Card, Digest, Facts, Header, Link, Page, ReasonDialog, Stack, Time } from '../../../ui'
import { Rows } from '../Rows'

export default function DatasetVersionPage() {
  const p = useParams({ strict: false }) as { dataset: string; number: string }
  const number = Number(p.number)
  const version = useQuery(datasets.version(p.dataset, number))
  const sample = useQuery(datasets.sample(p.dataset, number))
  return (
    <Page title={`Version ${p.number}`} trail={[['Data', paths.data()], [useDatasetName(p.dataset), paths.dataset(p.dataset)]]} actions={version.data && <Actions version={version.data} />}>
      <Async query={version}>
        {(v) => (
          <Stack size="l">
            {v.status === 'Retracted' && <Alert type="warning" header="Retracted: no run may learn from it any more">{v.reason}</Alert>}
            <About version={v} />
          </Stack>
        )}
      </Async>
      <Card header={<Header variant="h2" description="Some rows, the same ones each time; personal data is masked.">Sample</Header>}>
        <Async query={sample}>{(s) => <Rows rows={s.rows.map((r) => r.body)} />}</Async>
      </Card>
    </Page>
  )
}

function About({ version: v }: { version: DatasetVersion }) {
  return (
    <Card>
      <Facts columns={4} items={[
        { label: 'Rows', value: `${count(v.rows)} (${count(v.added)} new)` },
        { label: 'Size', value: `${bytes(v.bytes)} in ${plural(v.shards?.length ?? 0, 'shard')}, about ${count(v.tokens)} tokens` },
        { label: 'Digest', value: <Digest value={v.digest} copy /> },
        { label: 'Published', value: <><Time at={v.created} /> by {v.actor.name ?? v.actor.id}</> },
        { label: 'Parent', value: v.parent ? <Link href={paths.datasetVersion(v.dataset, v.parent)}>version {v.parent}</Link> : 'none' },
        { label: 'Changes', value: v.parent ? <Link href={paths.datasetDiff(v.dataset, v.parent, v.number)}>what changed</Link> : 'all is new' },
        { label: 'Came from', value: v.ingestion ? <Arrival id={v.ingestion} /> : '—' },
        { label: 'Reach', value: <Link href={paths.lineage(`datasetVersion:${v.dataset}@${v.number}`, 'forward')}>what learned from it, and where that is live</Link> },
      ]} />
    </Card>
  )
}

/** The file that became the version. */
function Arrival({ id }: { id: string }) {
  const { data } = useQuery(ingestions.one(id))
  return <Link href={paths.ingestion(id)}>{data?.name ?? shortIds(id)}</Link>
}

function Actions({ version: v }: { version: DatasetVersion }) {
  const may = useMay('data:write')
  const [open, setOpen] = useState(false)
  const retract = useAction((reason: string) => retractVersion(v.dataset, v.number, reason), { stale: ['datasets'], done: `Version ${v.number} is retracted.`, then: () => setOpen(false) })
  if (v.status === 'Retracted') return null
  return (
    <>
      <Button disabled={!may.ok} disabledReason={may.why} onClick={() => setOpen(true)}>Retract</Button>
      {open && (
        <ReasonDialog title={`Retract version ${v.number}?`} action="Retract" busy={retract.busy} error={retract.error} onClose={() => setOpen(false)} onSubmit={retract.run}>
          <p>No run may learn from it any more. Models that already did stay as they are: <Link href={paths.lineage(`datasetVersion:${v.dataset}@${v.number}`, 'forward')} external={false}>see which, and where they are live</Link>.</p>
        </ReasonDialog>
      )}
    </>
  )
}
