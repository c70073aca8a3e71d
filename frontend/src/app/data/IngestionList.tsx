import type { Arrivals, Ingestion } from '../../data/schema'
import { bytes, count } from '../../lib/format'
import { paths } from '../../lib/paths'
import { DatasetLink } from '../names'
import { Link, Listing, Phase, Time, type Column } from '../../ui'

const columns: Column<Ingestion>[] = [
  { id: 'name', header: 'File', cell: (i) => <Link href={paths.ingestion(i.id)}>{i.name}</Link>, sort: (i) => i.name },
  { id: 'dataset', header: 'Dataset', cell: (i) => <DatasetLink id={i.dataset} />, sort: (i) => i.dataset },
  { id: 'status', header: 'State', cell: (i) => <Phase phase={i.status} />, sort: (i) => i.status },
  { id: 'rows', header: 'Accepted of read', cell: (i) => `${count(i.counts.accepted)} of ${count(i.counts.rows)}`, sort: (i) => i.counts.accepted },
  { id: 'rejected', header: 'Rejected', cell: (i) => count(i.counts.rejected), sort: (i) => i.counts.rejected },
  { id: 'version', header: 'Became', cell: (i) => (i.datasetVersion ? <Link href={paths.datasetVersion(i.dataset, i.datasetVersion)}>version&nbsp;{i.datasetVersion}</Link> : '—') },
  { id: 'bytes', header: 'Size', cell: (i) => bytes(i.object.size), sort: (i) => i.object.size },
  { id: 'by', header: 'By', cell: (i) => i.actor.name ?? i.actor.id },
  { id: 'created', header: 'Arrived', cell: (i) => <Time at={i.created} />, sort: (i) => i.created },
]

/** Files that arrived, with what became of them. */
export function IngestionList({ list: { items, nextCursor }, dataset }: { list: Arrivals; dataset?: string }) {
  return (
    <Listing title="Arrivals" items={items} more={!!nextCursor} columns={dataset ? columns.filter((c) => c.id !== 'dataset') : columns} trackBy={(i) => i.id}
      search={(i) => `${i.name} ${i.status}`}
      empty={{ title: 'Nothing has arrived yet', text: 'Upload a JSONL or CSV file; gzip is fine too.' }} />
  )
}
