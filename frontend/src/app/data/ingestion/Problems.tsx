import type { Ingestion, ProblemGroup } from '../../../data/schema'
import { plural } from '../../../lib/format'
import { Card, Expandable, Header, Link, Stack, Status } from '../../../ui'
import { rejectsUrl } from '../../../data/datasets'

/** What is wrong, grouped by rule, with where to look and how to mend it. */
export function Problems({ ingestion: i }: { ingestion: Ingestion }) {
  if (i.problems.length === 0) return null
  const download = i.rejects && <Link href={rejectsUrl(i.id)} external={false}>Download the rejected rows with an error column</Link>
  return (
    <Card header={<Header variant="h2" counter={`(${i.problems.length} rules)`} actions={download}>Quarantine</Header>}>
      <Stack size="s">
        {i.problems.map((g, n) => <Group key={g.rule} group={g} open={n === 0} />)}
      </Stack>
    </Card>
  )
}

function Severity({ group: g }: { group: ProblemGroup }) {
  const rows = plural(g.count, 'row')
  return g.severity === 'reject' ? <Status type="error">{rows} rejected</Status> : <Status type="info">{rows} let through</Status>
}

function Group({ group: g, open }: { group: ProblemGroup; open: boolean }) {
  return (
    <Expandable defaultExpanded={open} headerText={<>{g.title} <Severity group={g} /></>} headerDescription={g.hint}>
      <div className="scroll-x">
        <table className="plain">
          <thead><tr><th scope="col">Line</th><th scope="col">Where</th><th scope="col">Expected</th><th scope="col">Found</th></tr></thead>
          <tbody>
            {g.examples.map((e) => (
              <tr key={`${e.line}${e.pointer}`}>
                <td className="num">{e.line}</td><td><code>{e.pointer || 'the whole line'}</code></td><td>{e.expected ?? '—'}</td><td><code>{e.found ?? '—'}</code></td>
              </tr>
            ))}
          </tbody>
        </table>
        {g.count > g.examples.length && <p className="soft">and {g.count - g.examples.length} more in the download</p>}
      </div>
    </Expandable>
  )
}
