import { useQuery } from '@tanstack/react-query'
import { useParams } from '@tanstack/react-router'
import { useModelName } from '../../../data/hooks'
import { isFinal, runs } from '../../../data/runs'
import type { Run } from '../../../data/schema'
import { sentence } from '../../../lib/format'
import { paths } from '../../../lib/paths'
import { shortIds, tail } from '../../../lib/subjects'
import { reportPage } from '../../../data/releases'
import { Alert, Async, Card, Facts, Link, Page, RunState, Stack, Time, Took, VerdictMark } from '../../../ui'
import { CopyId, DatasetVersionLink, ModelLink } from '../../names'
import { starter } from '../columns'
import { Actions } from './Actions'
import { Curves } from './Curves'
import { Logs } from './Logs'
import { Steps } from './Steps'

export default function RunPage() {
  const { run: id } = useParams({ strict: false }) as { run: string }
  const run = useQuery(runs.one(id))
  const name = useModelName(run.data?.model)
  return (
    <Page title={run.data ? `Training of ${name}` : 'Training run'} trail={[['Models', paths.models()], ['Training runs', paths.runs()]]} info={run.data && <RunState status={run.data.status} />} description={<span title={id}>Run {tail(id)} <CopyId id={id} of="the run" /></span>} actions={run.data && <Actions run={run.data} />}>
      <Async query={run} label="Reading the run">{(r) => <Body run={r} />}</Async>
    </Page>
  )
}

function Body({ run: r }: { run: Run }) {
  const final = isFinal(r)
  return (
    <Stack size="l">
      {r.error && <Trouble run={r} />}
      <Card><Facts columns={4} items={facts(r)} /></Card>
      <Steps run={r.id} final={final} cancelled={r.status === 'Cancelled'} explained={!!r.error} />
      <Curves run={r.id} final={final} />
      <Logs run={r.id} final={final} />
    </Stack>
  )
}

/** What went wrong: in the run itself, or after it when it asked for a release. */
function Trouble({ run: r }: { run: Run }) {
  const why = shortIds(sentence(r.error ?? ''))
  if (r.status === 'Judged') return <Alert type="warning" header="It asked for no release">{why}</Alert>
  if (r.status === 'Cancelled') return <Alert type="info" header="It was cancelled">{why}</Alert>
  if (r.status !== 'Failed') return <Alert type="info">{why}</Alert>
  return <Alert type="error" header="It failed">{why} Look at the logs below; “Retry” starts it again with the same settings.</Alert>
}

const facts = (r: Run) => [
  { label: 'Model', value: <><ModelLink id={r.model} />, from {r.parent ? <Link href={paths.modelVersion(r.model, r.parent)}>version {r.parent}</Link> : 'the base'}</> },
  { label: 'Learns', value: r.datasets.length ? r.datasets.map((d) => <div className="line" key={d.digest}><DatasetVersionLink dataset={d.dataset} number={d.number} /></div>) : '—' },
  { label: 'Started by', value: <>{starter(r)}{r.reason && <div className="soft">“{shortIds(r.reason)}”</div>}</> },
  { label: 'Preset, seed', value: `${r.preset}, ${r.seed}` },
  { label: 'Started', value: <Time at={r.started ?? r.created} /> },
  { label: 'Took', value: <Took from={r.started ?? r.created} to={r.ended} /> },
  { label: 'Made', value: r.candidate ? <Link href={paths.modelVersion(r.model, r.candidate)}>version {r.candidate}</Link> : none(r) },
  { label: 'Verdict', value: outcome(r) },
]

const none = (r: Run) => (isFinal(r) ? 'none' : 'not yet')

function outcome(r: Run) {
  if (!r.verdict) return none(r)
  return (
    <Stack size="xxxs">
      <VerdictMark verdict={r.verdict} />
      {r.report && <Link href={reportPage(r.report)} external>Gate report</Link>}
      {r.release && <Link href={paths.release(r.release)}>The release</Link>}
    </Stack>
  )
}
