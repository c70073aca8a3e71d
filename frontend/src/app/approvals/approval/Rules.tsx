import type { GateReport } from '../../../data/schema'
import { minuses, plural, words } from '../../../lib/format'
import { Expandable, VerdictMark, Wide } from '../../../ui'

/** Every rule of the policy with its reason. */
export function Rules({ report: r }: { report: GateReport }) {
  const p = r.pairing
  const applied = r.rules.filter((x) => x.applied).length
  const about = `${plural(p.paired, 'item')} paired, ${p.unpaired} unpaired, ${p.candidateErrors} errors; ${plural(r.contamination.items, 'item')} found in training data${r.contamination.excluded ? ' and left out' : ''}`
  return (
    <Expandable variant="container" headerText="Every rule of the gate" headerCounter={applied === r.rules.length ? `(${applied})` : `(${applied} apply of ${r.rules.length})`} headerDescription={about} defaultExpanded={r.verdict !== 'PASS'}>
      <Wide label="Rules of the gate">
        <table className="plain" aria-label="Rules of the gate">
          <thead><tr><th scope="col">Rule</th><th scope="col">Verdict</th><th scope="col">Why</th></tr></thead>
          <tbody>
            {r.rules.map((x) => (
              <tr key={x.name}><th scope="row" className="nowrap">{words(x.name)}</th><td className="nowrap">{x.applied ? <VerdictMark verdict={x.verdict} /> : <span className="soft">does not apply</span>}</td><td><div className="sentence">{minuses(x.reason)}</div></td></tr>
            ))}
          </tbody>
        </table>
      </Wide>
    </Expandable>
  )
}
