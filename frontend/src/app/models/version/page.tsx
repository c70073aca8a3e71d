import { useQuery } from '@tanstack/react-query'
import { useParams } from '@tanstack/react-router'
import { lazy, Suspense, useState } from 'react'
import { useAction } from '../../../data/action'
import { useMay, useModelName } from '../../../data/hooks'
import { models, setAlias } from '../../../data/models'
import { environments, reportPage } from '../../../data/releases'
import type { ModelVersion } from '../../../data/schema'
import { metricTitle } from '../../../lib/curves'
import { metric } from '../../../lib/format'
import { paths } from '../../../lib/paths'
import { tail } from '../../../lib/subjects'
import { DatasetVersionLink } from '../../names'
import { Async, Badge, Button, Card, Copy, Digest, Facts, Header, Link, Listing, Page, Phase, ReasonDialog, Stack, Time, VerdictMark } from '../../../ui'

const RequestRelease = lazy(() => import('../../deployment/RequestRelease'))

export default function ModelVersionPage() {
  const p = useParams({ strict: false }) as { model: string; number: string }
  const version = useQuery(models.version(p.model, Number(p.number)))
  const v = version.data
  return (
    <Page title={`Version ${p.number}`} trail={[['Models', paths.models()], [useModelName(p.model), paths.model(p.model)]]} actions={v && <Actions v={v} />}
      info={v && <><Phase phase={v.status} /> {v.aliases.map((a) => <Badge key={a} color={a === 'champion' ? 'green' : 'blue'}>{a}</Badge>)}</>}>
      <Async query={version} label="Reading the version">{(data) => <Body v={data} />}</Async>
    </Page>
  )
}

function Body({ v }: { v: ModelVersion }) {
  const parent = useQuery({ ...models.version(v.model, v.parent), enabled: v.parent > 0 })
  const names = Object.keys(v.metrics).sort()
  return (
    <Stack size="l">
      <Card><Facts columns={4} items={facts(v)} /></Card>
      <Serving v={v} />
      <Listing title="Metrics" items={names} trackBy={(n) => n} search={(n) => n} empty={{ title: 'No metrics', text: 'An imported version has none until it is evaluated.' }} columns={[
        { id: 'name', header: 'Metric', cell: (n) => metricTitle(n), sort: (n) => n },
        { id: 'value', header: `Version ${v.number}`, cell: (n) => metric(v.metrics[n] ?? 0) },
        { id: 'parent', header: v.parent ? `Version ${v.parent}` : 'Parent', cell: (n) => (parent.data && n in parent.data.metrics ? metric(parent.data.metrics[n]!) : '—') },
      ]} />
    </Stack>
  )
}

const facts = (v: ModelVersion) => [
  { label: 'Digest', value: <Digest value={v.digest} copy /> },
  { label: 'Made', value: <><Time at={v.created} />, {v.origin.toLowerCase()}{v.preset && ` with ${v.preset}`}</> },
  { label: 'On top of', value: v.parent ? <Link href={paths.modelVersion(v.model, v.parent)}>version {v.parent}</Link> : 'nothing: it was imported' },
  { label: 'Learned', value: v.datasets.length ? v.datasets.map((d) => <div className="line" key={d.digest}><DatasetVersionLink dataset={d.dataset} number={d.number} /></div>) : '—' },
  { label: 'Run', value: v.run ? <Link href={paths.run(v.run)}>run {tail(v.run)}</Link> : '—' },
  { label: 'Verdict', value: <><VerdictMark verdict={v.verdict} />{v.report && <div><Link href={reportPage(v.report)} external>Gate report</Link></div>}</> },
  { label: 'Files', value: <span title={v.artifact}>weights as safetensors, in the object <span className="nowrap">store <Copy text={v.artifact} about="Copy where the files are" /></span></span> },
  { label: 'Lineage', value: <><Link href={paths.lineage(`modelVersion:${v.model}@${v.number}`)}>where it comes from</Link>, <Link href={paths.lineage(`modelVersion:${v.model}@${v.number}`, 'forward')}>what came of it</Link></> },
]

/** What is declared beside what is really served. */
function Serving({ v }: { v: ModelVersion }) {
  const places = useQuery(environments.list(v.model))
  const at = (places.data?.items ?? []).flatMap((e) => e.targets.filter((t) => t.digest === v.digest).map((t) => ({ name: e.name, weight: t.weight })))
  return (
    <Card header={<Header variant="h2" description="By digest, as the environments report it.">Serving now</Header>}>
      {at.length === 0 ? <span className="soft">It is loaded in no environment.</span> : (
        <Facts columns={3} items={at.map((t) => ({ label: t.name, value: <Link href={paths.deployment(v.model)}>{t.weight > 0 ? `${t.weight}% of requests` : 'warm'}</Link> }))} />
      )}
    </Card>
  )
}

function Actions({ v }: { v: ModelVersion }) {
  const mayAlias = useMay('models:write')
  const mayRelease = useMay('deployments:write')
  const [open, setOpen] = useState<'alias' | 'release'>()
  const close = () => setOpen(undefined)
  const alias = useAction((reason: string) => setAlias(v.model, 'challenger', v.number, reason), { stale: ['models'], done: `Version ${v.number} is the challenger.`, then: close })
  return (
    <Stack direction="horizontal" size="xs">
      {!v.aliases.includes('challenger') && <Button disabled={!mayAlias.ok} disabledReason={mayAlias.why} onClick={() => setOpen('alias')}>Make challenger</Button>}
      <Button variant="primary" disabled={!mayRelease.ok} disabledReason={mayRelease.why} onClick={() => setOpen('release')}>Request release</Button>
      {open === 'alias' && <ReasonDialog title={`Make version ${v.number} the challenger?`} action="Make challenger" busy={alias.busy} error={alias.error} onClose={close} onSubmit={alias.run} />}
      <Suspense>{open === 'release' && <RequestRelease model={v.model} version={v.number} onClose={close} />}</Suspense>
    </Stack>
  )
}
