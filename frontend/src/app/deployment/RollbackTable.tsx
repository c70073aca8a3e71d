import { useQueries } from '@tanstack/react-query'
import { environments as source } from '../../data/releases'
import type { Environment, Rollback } from '../../data/schema'
import { duration } from '../../lib/format'
import { paths } from '../../lib/paths'
import { shortIds } from '../../lib/subjects'
import { Badge, Link, Listing, Phase, Time, type Column } from '../../ui'

const columns = (model: string): Column<Rollback>[] => [
  { id: 'where', header: 'Environment', cell: (r) => r.environment, sort: (r) => r.environment },
  { id: 'what', header: 'From, to', cell: (r) => <><Link href={paths.modelVersion(model, r.from.version)}>v{r.from.version}</Link> → <Link href={paths.modelVersion(model, r.to.version)}>v{r.to.version}</Link></> },
  { id: 'status', header: 'State', cell: (r) => <Phase phase={r.status} /> },
  { id: 'seconds', header: 'Took', cell: (r) => duration(r.seconds * 1000), sort: (r) => r.seconds },
  { id: 'reason', header: 'Reason', minWidth: 180, cell: (r) => shortIds(r.reason) },
  { id: 'by', header: 'By', cell: (r) => (r.automatic ? <Badge>by itself</Badge> : (r.actor.name ?? r.actor.id)) },
  { id: 'created', header: 'When', cell: (r) => <Time at={r.created} />, sort: (r) => r.created },
]

/** Every return to an earlier version. */
export function RollbackTable({ model, environments }: { model: string; environments: Environment[] }) {
  const all = useQueries({ queries: environments.map((e) => source.rollbacks(model, e.name)) })
  const items = all.flatMap((q) => q.data?.items ?? []).sort((a, b) => b.created.localeCompare(a.created))
  return <Listing title="Rollbacks" items={items} columns={columns(model)} trackBy={(r) => r.id} empty={{ title: 'Nobody went back yet', text: 'Roll back is on every environment above, always.' }} />
}
