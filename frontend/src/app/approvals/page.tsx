import { useQuery } from '@tanstack/react-query'
import { useRouter, useSearch } from '@tanstack/react-router'
import { approvals } from '../../data/releases'
import { useMe } from '../../data/hooks'
import type { Approval, ApprovalStatus } from '../../data/schema'
import { missing, whyNotDecide } from '../../lib/decide'
import { paths } from '../../lib/paths'
import { ModelName } from '../names'
import { Async, Badge, Link, Listing, Page, Phase, Segmented, Time, type Column } from '../../ui'
import { useNow } from '../../ui/Time'

const filters: { id: ApprovalStatus | 'all'; text: string }[] = [
  { id: 'Pending', text: 'Waiting' }, { id: 'Approved', text: 'Approved' }, { id: 'Rejected', text: 'Rejected' }, { id: 'Expired', text: 'Expired' }, { id: 'Voided', text: 'Voided' }, { id: 'all', text: 'All' },
]

function useColumns(): Column<Approval>[] {
  const me = useMe()
  const now = useNow()
  return [
    { id: 'what', header: 'What', minWidth: 170, cell: (a) => <><Link href={paths.approval(a.id)}><ModelName id={a.model} /> version {a.version}</Link> {a.breakGlass && <Badge color="red">break-glass</Badge>}</> },
    { id: 'to', header: 'Up to', cell: (a) => a.binding.environment || 'production' },
    { id: 'status', header: 'State', cell: (a) => <Phase phase={a.status} />, sort: (a) => a.status },
    { id: 'missing', header: 'Still needed', cell: (a) => (a.status === 'Pending' ? `${missing(a)} of ${a.required}` : '—') },
    { id: 'you', header: 'You', cell: (a) => (a.status === 'Pending' ? whyNotDecide(a, me, now) : '—') ?? <Link href={paths.approval(a.id)}>Decide now</Link> },
    { id: 'by', header: 'Asked by', cell: (a) => a.requester.name ?? a.requester.id },
    { id: 'created', header: 'Asked', cell: (a) => <Time at={a.created} />, sort: (a) => a.created },
    { id: 'expires', header: 'Expires', cell: (a) => (a.status === 'Pending' ? <Time at={a.expires} /> : '—') },
  ]
}

export default function ApprovalsPage() {
  const { status } = useSearch({ strict: false }) as { status?: ApprovalStatus }
  const router = useRouter()
  const all = useQuery(approvals.list(status))
  const columns = useColumns()
  const filter = (
    <Segmented label="State" selectedId={status ?? 'all'} onChange={(e) => router.history.push(paths.approvals(e.detail.selectedId === 'all' ? undefined : e.detail.selectedId))}
      options={filters} />
  )
  return (
    <Page title="Approvals" trail={[['Deployment', paths.deployment()]]} description="A person decides what goes to production, in a minute, with the evidence on one page.">
      <Async query={all} label="Reading approvals">
        {({ items }) => (
          <Listing title="Approvals" items={items} columns={columns} filters={filter} trackBy={(a) => a.id}
            empty={status ? { title: 'None like that', text: 'Others are filtered out.', action: <Link href={paths.approvals()}>Show all</Link> } : { title: 'No approval was asked for yet', text: 'A run whose verdict is not FAIL asks for one by itself; a release asked for by hand does too.' }} />
        )}
      </Async>
    </Page>
  )
}
