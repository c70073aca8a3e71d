import type { ErrorGroup, Ingestion } from '../../../data/schema'
import { count, plural, sentence } from '../../../lib/format'
import { Card, Expandable, Header, Link, Stack, Status, Wide } from '../../../ui'
import { rejectsUrl } from '../../../data/datasets'
import { Mend } from './Mend'

/** What is wrong, grouped by rule, with where to look and how to fix it. */
export function Problems({ ingestion: i }: { ingestion: Ingestion }) {
  const groups = [...i.errors.map((g) => ({ g, reject: true })), ...i.warnings.map((g) => ({ g, reject: false }))]
  if (groups.length === 0) return null
  const download = i.rejects && <Link href={rejectsUrl(i.id)} external={false}>Download the rejected rows with an error column</Link>
  return (
    <Card header={<Header variant="h2" counter={`(${plural(groups.length, 'rule')})`} actions={download}>Quarantine</Header>}>
      <Stack size="s">
        {i.rejects && <Mend ingestion={i} />}
        {groups.map(({ g, reject }, n) => <Group key={g.rule} group={g} reject={reject} open={n === 0} />)}
      </Stack>
    </Card>
  )
}

function Severity({ group: g, reject }: { group: ErrorGroup; reject: boolean }) {
  if (g.examples.every((e) => !e.line)) return <Status type={reject ? 'error' : 'info'}>the whole file</Status>
  const rows = plural(g.count, 'row')
  return reject ? <Status type="error">{rows} rejected</Status> : <Status type="info">{g.rule.startsWith('duplicate') ? `${rows} left out` : `${rows} let through`}</Status>
}

function Group({ group: g, reject, open }: { group: ErrorGroup; reject: boolean; open: boolean }) {
  return (
    <Expandable defaultExpanded={open} headerText={<>{sentence(g.title).slice(0, -1)} <Severity group={g} reject={reject} /></>} headerDescription={sentence(g.hint ?? '')}>
      <Wide label="Examples">
        <table className="plain">
          <thead><tr><th scope="col">Line</th><th scope="col">Where</th><th scope="col">Expected</th><th scope="col">Found</th></tr></thead>
          <tbody>
            {g.examples.map((e) => (
              <tr key={`${e.line || 'file'}${e.pointer}`}>
                <td className="num">{e.line ? count(e.line) : 'file'}</td><td><code>{e.pointer || (e.line ? 'the whole line' : 'the whole file')}</code></td><td>{e.expected || '—'}</td><td><code>{e.found || '—'}</code></td>
              </tr>
            ))}
          </tbody>
        </table>
        {g.count > g.examples.length && <p className="soft">and {count(g.count - g.examples.length)} more in the download</p>}
      </Wide>
    </Expandable>
  )
}
