import type { Run } from '../../data/schema'
import { paths } from '../../lib/paths'
import { tail } from '../../lib/subjects'
import { DatasetVersionLink, ModelLink } from '../names'
import { Link, RunState, Stack, Time, Took, VerdictMark, type Column } from '../../ui'

/** Who or what started it. */
export const starter = (r: Run): string => (r.trigger === 'Manual' ? (r.actor.name ?? r.actor.id) : `${r.trigger.toLowerCase()} trigger`)

export const runColumns: Column<Run>[] = [
  { id: 'id', header: 'Run', cell: (r) => <Link href={paths.run(r.id)}>run&nbsp;{tail(r.id)}</Link>, sort: (r) => r.id },
  { id: 'status', header: 'State', cell: (r) => <RunState status={r.status} />, sort: (r) => r.status },
  { id: 'model', header: 'Model', cell: (r) => <ModelLink id={r.model} />, sort: (r) => r.model },
  { id: 'why', header: 'Started by', cell: (r) => starter(r) },
  { id: 'preset', header: 'Preset', cell: (r) => r.preset, sort: (r) => r.preset },
  { id: 'data', header: 'Learns', minWidth: 170, cell: (r) => (r.datasets.length ? <Stack size="xxxs">{r.datasets.map((d) => <DatasetVersionLink key={d.digest} dataset={d.dataset} number={d.number} />)}</Stack> : '—') },
  { id: 'out', header: 'Made', cell: (r) => (r.candidate ? <Link href={paths.modelVersion(r.model, r.candidate)}>version&nbsp;{r.candidate}</Link> : '—'), sort: (r) => r.candidate ?? 0 },
  { id: 'verdict', header: 'Verdict', cell: (r) => <VerdictMark verdict={r.verdict} />, sort: (r) => r.verdict ?? '' },
  { id: 'took', header: 'Took', cell: (r) => <Took from={r.started} to={r.ended} /> },
  { id: 'created', header: 'Started', cell: (r) => <Time at={r.created} />, sort: (r) => r.created },
]
