import { useQuery } from '@tanstack/react-query'
import { useAction } from '../../data/action'
import { useMay, useNameOf } from '../../data/hooks'
import { deadLetters, replayDeadLetter } from '../../data/observe'
import type { DeadLetter } from '../../data/schema'
import { cause } from '../../lib/cause'
import { sentence } from '../../lib/format'
import { openSubject } from '../../lib/paths'
import { happened, shortIds } from '../../lib/subjects'
import { Async, Button, ErrorState, Expandable, Link, Listing, Stack, Time, type Column } from '../../ui'

const consumers: Record<string, string> = { triggers: 'training triggers' }

/** Events that the platform could not act on, and the button to let it try once more. */
export function DeadLetters() {
  const all = useQuery(deadLetters())
  const may = useMay('settings:write')
  const replay = useAction(replayDeadLetter, { stale: ['dead-letters'], done: 'The platform acted on the event.' })
  const columns: Column<DeadLetter>[] = [
    { id: 'event', header: 'Event', minWidth: 190, cell: (d) => <About letter={d} /> },
    { id: 'who', header: 'Not acted on by', cell: (d) => consumers[d.consumer] ?? d.consumer, sort: (d) => d.consumer },
    { id: 'error', header: 'Why', cell: (d) => <Why error={d.error} /> },
    { id: 'tries', header: 'Tries', cell: (d) => d.tries, sort: (d) => d.tries },
    { id: 'failed', header: 'Last try', cell: (d) => <Time at={d.failed} />, sort: (d) => d.failed },
    { id: 'do', header: 'Actions', cell: (d) => <Button variant="inline-link" loading={replay.busy} disabled={!may.ok} disabledReason={may.why} ariaLabel={`Replay event ${d.event.seq}`} onClick={() => replay.run(d.event.seq)}>Replay</Button> },
  ]
  return (
    <Stack size="m">
      {replay.error && <ErrorState error={replay.error} />}
      <Async query={all}>
        {(items) => <Listing title="Dead letters" description="Events that the platform could not act on after several tries. Mend the cause, then replay them." items={items} columns={columns} trackBy={(d) => `${d.event.seq}${d.consumer}`} empty={{ title: 'None', text: 'The platform acted on every event.' }} />}
      </Async>
    </Stack>
  )
}

/** Why, in words; what the program said is below, for whom it helps. */
function Why({ error }: { error: string }) {
  const said = cause(error)
  return (
    <>
      {shortIds(sentence(said))}
      {said !== error && <Expandable variant="inline" headerText="As the program said it"><code>{error}</code></Expandable>}
    </>
  )
}

function About({ letter: { event: e } }: { letter: DeadLetter }) {
  const href = openSubject(e.subject)
  const name = useNameOf()(e.subject, e.data)
  return <>{happened(e.type)}: {href ? <Link href={href}>{name}</Link> : name}</>
}
