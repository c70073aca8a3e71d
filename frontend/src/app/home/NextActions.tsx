import type { Overview } from '../../data/schema'
import { capital } from '../../lib/format'
import { paths } from '../../lib/paths'
import { ModelName } from '../names'
import { Card, Empty, Header, Icon, Link, Time } from '../../ui'

/** What happens by itself, soonest first. */
export function NextActions({ next }: { next: Overview['next'] }) {
  return (
    <Card fitHeight header={<Header variant="h2" counter={`(${next.length})`}>Next, by itself</Header>}>
      {next.length === 0 && (
        <Empty title="Nothing is planned" action={<Link href={paths.models()}>Set a trigger on a model</Link>}>
          With a trigger, new data or a schedule starts training.
        </Empty>
      )}
      <ul className="rows">
        {next.map((n) => (
          <li key={n.what + n.model}>
            <Icon name={n.kind === 'approval' ? 'user-profile' : 'gen-ai'} variant="subtle" />
            <div className="grow">
              <div className="row-title">{capital(n.what)}</div>
              <div className="soft">{n.at ? <Time at={n.at} /> : 'when its turn comes'} · <Link href={paths.model(n.model, 'trigger')}><ModelName id={n.model} /></Link></div>
            </div>
          </li>
        ))}
      </ul>
    </Card>
  )
}
