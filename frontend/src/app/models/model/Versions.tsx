import type { ModelVersion } from '../../../data/schema'
import { paths } from '../../../lib/paths'
import { tail } from '../../../lib/subjects'
import { DatasetVersionLink } from '../../names'
import { Badge, Digest, Link, Listing, Phase, Stack, Time, VerdictMark, type Column } from '../../../ui'

const columns: Column<ModelVersion>[] = [
  { id: 'number', header: 'Version', cell: (v) => <Stack direction="horizontal" size="xs"><Link href={paths.modelVersion(v.model, v.number)}>version {v.number}</Link>{v.aliases.map((a) => <Badge key={a} color={a === 'champion' ? 'green' : 'blue'}>{a}</Badge>)}</Stack>, sort: (v) => v.number },
  { id: 'status', header: 'State', cell: (v) => <Phase phase={v.status} />, sort: (v) => v.status },
  { id: 'verdict', header: 'Verdict', cell: (v) => <VerdictMark verdict={v.verdict} />, sort: (v) => v.verdict ?? '' },
  { id: 'parent', header: 'On top of', cell: (v) => (v.parent ? <Link href={paths.modelVersion(v.model, v.parent)}>version {v.parent}</Link> : v.origin.toLowerCase()) },
  { id: 'data', header: 'Learned', cell: (v) => v.datasets.map((d) => <div className="line" key={d.digest}><DatasetVersionLink dataset={d.dataset} number={d.number} /></div>) },
  { id: 'run', header: 'Run', cell: (v) => (v.run ? <Link href={paths.run(v.run)}>run {tail(v.run)}</Link> : '—') },
  { id: 'digest', header: 'Digest', cell: (v) => <Digest value={v.digest} /> },
  { id: 'created', header: 'Made', cell: (v) => <Time at={v.created} />, sort: (v) => v.created },
]

export function Versions({ items }: { items: ModelVersion[] }) {
  return <Listing title="Versions" items={items} columns={columns} trackBy={(v) => String(v.number)} search={(v) => `${v.number} ${v.aliases.join(' ')} ${v.status}`} empty={{ title: 'No version yet', text: 'Import the base model: the button above, or perennial models import.' }} />
}
