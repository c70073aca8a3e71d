import { useNameOf } from '../../data/hooks'
import type { Event } from '../../data/schema'
import { openSubject } from '../../lib/paths'
import { happened, shortIds, worthTelling } from '../../lib/subjects'
import { Card, Empty, Header, Link, Time } from '../../ui'

const automatic = (e: Event) => e.actor.id.startsWith('system:')

/** What happened, newest first. */
export function Activity({ events: all }: { events: Event[] }) {
  const events = all.filter(worthTelling).slice(0, 20)
  return (
    <Card header={<Header variant="h2">Activity</Header>}>
      {events.length === 0 && <Empty title="Nothing has happened yet">Upload a file to start the loop.</Empty>}
      <ol className="feed">
        {events.map((e) => <Row key={e.seq} event={e} />)}
      </ol>
    </Card>
  )
}

function Row({ event: e }: { event: Event }) {
  const href = openSubject(e.subject)
  const name = useNameOf()(e.subject, e.data)
  return (
    <li>
      <span className="feed-time"><Time at={e.time} /></span>
      <span>
        {happened(e.type)}: {href ? <Link href={href}>{name}</Link> : <span className="soft">{name}</span>}
        {e.reason && <span className="soft"> — “{shortIds(e.reason)}”</span>}
      </span>
      <span className="feed-actor">{automatic(e) ? `by itself (${e.actor.name ?? e.actor.id.slice(7)})` : (e.actor.name ?? e.actor.id)}</span>
    </li>
  )
}
