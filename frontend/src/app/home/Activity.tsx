import type { Event } from '../../data/schema'
import { words } from '../../lib/format'
import { openSubject } from '../../lib/paths'
import { Card, Empty, Header, Link, Time } from '../../ui'

const automatic = (e: Event) => e.actor.id.startsWith('system:')

/** What happened, newest first. */
export function Activity({ events }: { events: Event[] }) {
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
  return (
    <li>
      <span className="feed-time"><Time at={e.time} /></span>
      <span>
        {words(e.type)} {href ? <Link href={href}>{e.subject.id}</Link> : <span className="soft">{e.subject.id}</span>}
        {e.reason && <span className="soft"> — “{e.reason}”</span>}
      </span>
      <span className="feed-actor">{automatic(e) ? `by itself (${e.actor.name ?? e.actor.id.slice(7)})` : (e.actor.name ?? e.actor.id)}</span>
    </li>
  )
}
