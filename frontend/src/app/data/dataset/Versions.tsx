import type { DatasetVersion } from '../../../data/schema'
import { bytes, count } from '../../../lib/format'
import { paths } from '../../../lib/paths'
import { Digest, Link, Listing, Status, Time, type Column } from '../../../ui'

const columns: Column<DatasetVersion>[] = [
  { id: 'number', header: 'Version', cell: (v) => <Link href={paths.datasetVersion(v.dataset, v.number)}>version {v.number}</Link>, sort: (v) => v.number },
  { id: 'state', header: 'State', cell: (v) => (v.status === 'Retracted' ? <Status type="warning">Retracted: {v.reason}</Status> : <Status type="success">Published</Status>) },
  { id: 'rows', header: 'Rows', cell: (v) => count(v.rows), sort: (v) => v.rows },
  { id: 'added', header: 'New rows', cell: (v) => `+${count(v.added)}`, sort: (v) => v.added },
  { id: 'bytes', header: 'Size', cell: (v) => bytes(v.bytes), sort: (v) => v.bytes },
  { id: 'digest', header: 'Digest', cell: (v) => <Digest value={v.digest} /> },
  { id: 'by', header: 'By', cell: (v) => v.actor.name ?? v.actor.id },
  { id: 'created', header: 'Published', cell: (v) => <Time at={v.created} />, sort: (v) => v.created },
  { id: 'diff', header: 'Changes', cell: (v) => (v.parent ? <Link href={paths.datasetDiff(v.dataset, v.parent, v.number)} ariaLabel={`What changed in version ${v.number}`}>what changed</Link> : 'all is new') },
]

export function Versions({ items }: { items: DatasetVersion[] }) {
  return (
    <Listing title="Versions" items={items} columns={columns} trackBy={(v) => String(v.number)}
      empty={{ title: 'No version yet', text: 'A file that passes its checks becomes version 1.' }} />
  )
}
