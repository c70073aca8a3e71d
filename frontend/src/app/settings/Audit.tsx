import { useMutation, useInfiniteQuery } from '@tanstack/react-query'
import { useNameOf } from '../../data/hooks'
import { auditPages, verifyAudit } from '../../data/observe'
import type { AuditEntry, AuditVerdict } from '../../data/schema'
import { count, words } from '../../lib/format'
import { openSubject } from '../../lib/paths'
import { happened, shortIds } from '../../lib/subjects'
import { Alert, Async, Button, Digest, ErrorState, Expandable, Link, Listing, Stack, Time, type Column } from '../../ui'

const columns: Column<AuditEntry>[] = [
  { id: 'seq', header: 'No.', cell: (e) => count(e.seq), sort: (e) => e.seq },
  { id: 'time', header: 'When', cell: (e) => <Time at={e.time} />, sort: (e) => e.time },
  { id: 'who', header: 'Who', cell: (e) => e.actor.name ?? e.actor.id, sort: (e) => e.actor.name ?? e.actor.id },
  { id: 'what', header: 'What', cell: (e) => happened(e.action), sort: (e) => e.action },
  { id: 'subject', header: 'On', cell: (e) => <Subject e={e} /> },
  { id: 'why', header: 'Why', minWidth: 180, cell: (e) => (e.reason ? shortIds(e.reason) : '—') },
  { id: 'change', header: 'Before and after', minWidth: 130, cell: (e) => <Change e={e} /> },
  { id: 'hash', header: 'Hash', cell: (e) => <Digest value={e.hash} /> },
]

/** What it was done to, as people call it; the whole id on hover. */
function Subject({ e }: { e: AuditEntry }) {
  const href = openSubject(e.subject)
  const call = useNameOf()
  const name = <span title={`${e.subject.type} ${e.subject.id}`}>{e.subject.id === e.actor.id ? e.actor.name : call(e.subject, e.after)}</span>
  return href ? <Link href={href}>{name}</Link> : name
}

function Change({ e }: { e: AuditEntry }) {
  if (e.before === undefined && e.after === undefined) return <>—</>
  return <Expandable variant="inline" headerText="show" headerAriaLabel={`Before and after of entry ${e.seq}`}><pre className="json">{JSON.stringify({ before: e.before, after: e.after }, null, 1)}</pre></Expandable>
}

/** Who did what, when and why; and the proof that nobody changed the record. */
export function Audit() {
  const pages = useInfiniteQuery(auditPages())
  const verify = useMutation({ mutationFn: verifyAudit })
  const button = <Button loading={verify.isPending} onClick={() => verify.mutate()}>Verify the chain</Button>
  return (
    <Stack size="m">
      {verify.data && <Verdict v={verify.data} />}
      {verify.error && <ErrorState error={verify.error} />}
      <Async query={pages}>
        {(data) => <Listing title="Audit" description="Newest first; each entry carries the hash of the one before." actions={button} more={pages.hasNextPage} items={data.pages.flatMap((p) => p.items)} columns={columns} trackBy={(e) => String(e.seq)} search={(e) => `${e.actor.name} ${e.action} ${e.subject.id} ${e.reason ?? ''}`} empty={{ title: 'Nothing was done yet', text: 'Every change of state is written here.' }} />}
      </Async>
      {pages.hasNextPage && <Button loading={pages.isFetchingNextPage} onClick={() => void pages.fetchNextPage()}>Show earlier entries</Button>}
    </Stack>
  )
}

function Verdict({ v }: { v: AuditVerdict }) {
  if (v.ok) return <Alert type="success" header="The chain is whole">{count(v.checked)} entries, none changed, missing or cut off{v.anchored && '; it agrees with the head that is kept elsewhere'}. Head <Digest value={v.head.hash} copy /></Alert>
  return <Alert type="error" header="The chain is broken">Somebody changed the record outside of the platform: <ul>{v.problems.slice(0, 10).map((p) => <li key={p.kind + p.seq}>entry {p.seq}: {words(p.kind).toLowerCase()}, {p.detail}</li>)}</ul></Alert>
}
