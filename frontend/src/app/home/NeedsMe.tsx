import type { Need } from '../../data/schema'
import { openSubject, paths } from '../../lib/paths'
import { Card, Empty, Header, Icon, Link, Time } from '../../ui'

const looks: Record<Need['kind'], { icon: 'check' | 'file' | 'status-negative' | 'status-warning' | 'lock-private' | 'key'; verb: string }> = {
  approval: { icon: 'check', verb: 'Decide' },
  ingestion: { icon: 'file', verb: 'Look at the quarantine' },
  run: { icon: 'status-negative', verb: 'See what failed' },
  release: { icon: 'status-warning', verb: 'See the release' },
  hold: { icon: 'lock-private', verb: 'See the hold' },
  password: { icon: 'key', verb: 'Change it' },
}

const target = (n: Need): string =>
  n.kind === 'password' ? paths.settings('account') : (openSubject(n.subject) ?? paths.home())

/** The inbox: what waits for the person who looks. */
export function NeedsMe({ needs }: { needs: Need[] }) {
  return (
    <Card fitHeight header={<Header variant="h2" counter={`(${needs.length})`}>Needs you</Header>}>
      {needs.length === 0 && <Empty title="Nothing waits for you">The loop goes on by itself. Decisions will appear here.</Empty>}
      <ul className="rows">
        {needs.map((n) => (
          <li key={`${n.kind}${n.subject.id}`}>
            <Icon name={looks[n.kind].icon} variant="subtle" />
            <div className="grow">
              <div className="row-title">{n.title}</div>
              <div className="soft"><Time at={n.since} /></div>
            </div>
            <Link href={target(n)} ariaLabel={`${looks[n.kind].verb}: ${n.title}`}>{looks[n.kind].verb}</Link>
          </li>
        ))}
      </ul>
    </Card>
  )
}
