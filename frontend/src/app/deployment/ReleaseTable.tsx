import type { Release, ReleaseList } from '../../data/schema'
import { paths } from '../../lib/paths'
import { shortIds } from '../../lib/subjects'
import { Badge, Link, Listing, Phase, Time, VerdictMark, type Column } from '../../ui'

const columns: Column<Release>[] = [
  { id: 'id', header: 'Release', cell: (r) => <><Link href={paths.release(r.id)}>version {r.version}</Link> {r.breakGlass && <Badge color="red">break-glass</Badge>}</>, sort: (r) => r.created },
  { id: 'phase', header: 'State', cell: (r) => <Phase phase={r.phase} />, sort: (r) => r.phase },
  { id: 'where', header: 'Where', minWidth: 150, cell: (r) => (r.environment ? `${r.environment}, ${r.weight}%` : r.environments.join(' → ')) },
  { id: 'verdict', header: 'Gate', cell: (r) => <VerdictMark verdict={r.verdict} /> },
  { id: 'by', header: 'By', cell: (r) => r.requester.name ?? r.requester.id },
  { id: 'reason', header: 'Reason', minWidth: 180, cell: (r) => (r.reason ? shortIds(r.reason) : '—') },
  { id: 'approval', header: 'Approval', cell: (r) => (r.approval ? <Link href={paths.approval(r.approval)}>{r.phase === 'PendingApproval' ? 'waits' : 'see'}</Link> : '—') },
  { id: 'created', header: 'Asked', cell: (r) => <Time at={r.created} />, sort: (r) => r.created },
]

export function ReleaseTable({ list: { items, nextCursor } }: { list: ReleaseList }) {
  return (
    <Listing title="Releases" items={items} more={!!nextCursor} columns={columns} trackBy={(r) => r.id} search={(r) => `${r.id} ${r.version} ${r.reason ?? ''}`}
      empty={{ title: 'Nothing was released yet', text: 'A run that passes the gate asks for a release by itself.' }} />
  )
}
