import { reportPage } from '../../../data/releases'
import type { Approval, GateReport } from '../../../data/schema'
import { minuses, words } from '../../../lib/format'
import { shortIds } from '../../../lib/subjects'
import { advice, tally } from '../../../lib/compare'
import { Icon, Link, Time, VerdictMark } from '../../../ui'

const icons = { PASS: 'status-positive', INCONCLUSIVE: 'status-warning', FAIL: 'status-negative' } as const

/** The gate's answer in one look, and why the release is asked for. */
export function VerdictBar({ report: r, approval: a, reason }: { report: GateReport; approval: Approval; reason: string | undefined }) {
  const reasons = r.reasons.filter((x) => x !== r.summary) // a pass has nothing to add
  return (
    <section className={`verdict verdict-${r.verdict.toLowerCase()}`} aria-label="Verdict">
      <span className="verdict-icon"><Icon name={icons[r.verdict]} size="big" variant={r.verdict === 'PASS' ? 'success' : r.verdict === 'FAIL' ? 'error' : 'warning'} /></span>
      <div className="grow">
        <div className="verdict-head"><span data-testid="verdict"><VerdictMark verdict={r.verdict} /></span> <span>{tally(r)}</span> <span className="verdict-advice">{advice[r.verdict]}</span></div>
        <p className="verdict-summary">{minuses(r.summary)}</p>
        {reasons.length > 0 && <ul className="verdict-reasons">{reasons.slice(0, 4).map((x) => <li key={x}>{minuses(x).replace(/^[a-z]+(?:[A-Z][a-z]+)*(?=: )/, words)}</li>)}</ul>}
        <p className="soft">
          {a.requester.name ?? a.requester.id} asks{reason ? <>: “{shortIds(reason)}”</> : ' without a reason'} · <Time at={a.created} />
          {a.status === 'Pending' && <> · expires <Time at={a.expires} /></>} · <Link href={reportPage(a.binding.report)} external>whole report</Link>
        </p>
      </div>
    </section>
  )
}
