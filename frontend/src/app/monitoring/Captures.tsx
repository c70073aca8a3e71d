import { useQuery } from '@tanstack/react-query'
import { useVersionName } from '../../data/hooks'
import { captured, observe } from '../../data/observe'
import type { Capture } from '../../data/schema'
import { duration } from '../../lib/format'
import { Async, Listing, Status, Time, type Column } from '../../ui'

const columns = (name: (digest: string) => string): Column<Capture>[] => [
  { id: 'time', header: 'When', cell: (c) => <Time at={c.time} />, sort: (c) => c.time },
  { id: 'status', header: 'Answer', cell: (c) => <Status type={c.status < 400 ? 'success' : 'error'}>{c.status}</Status>, sort: (c) => c.status },
  { id: 'prompt', header: 'Asked', cell: (c) => <span className="pre">{c.prompt}</span> },
  { id: 'answer', header: 'Answered', cell: (c) => <span className="pre">{c.answer || '—'}</span> },
  { id: 'latency', header: 'Took', cell: (c) => duration(c.latencyMs), sort: (c) => c.latencyMs },
  { id: 'digest', header: 'By', cell: (c) => <span className="num">{name(c.digest).replace(' ', '\u00a0')}</span>, sort: (c) => name(c.digest) },
]

/** What was asked and answered, personal data masked. */
export function Captures({ model, env }: { model: string; env: string }) {
  const name = useVersionName(model)
  const captures = useQuery(observe.captures(model, env))
  return (
    <Async query={captures} label="Reading captures">
      {({ items }) => <Listing title="Captures" more={items.length >= captured} description="Newest first; personal data is masked before anything is stored." items={items} columns={columns(name)} trackBy={(c) => c.id} search={(c) => c.prompt + c.answer} empty={{ title: 'Nothing was captured', text: 'Requests to the gateway appear here.' }} />}
    </Async>
  )
}
