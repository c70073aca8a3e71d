import type { ReleaseStep } from '../../data/schema'
import { shortDigests } from '../../lib/format'
import { stepText } from '../../lib/steps'
import { Status, Time } from '../../ui'

const looks = { Advance: 'success', Hold: 'pending', Rollback: 'error' } as const

/** What a release did, in words, with the numbers that it was judged on. */
export function StepList({ steps, analysis = false, none = 'Nothing was done here.' }: { steps: ReleaseStep[]; analysis?: boolean; none?: string }) {
  if (steps.length === 0) return <p className="soft">{none}</p>
  return (
    <ol className="timeline timeline-steps" aria-live="polite">
      {steps.map((s, i) => (
        <li key={i}>
          <span className="timeline-name">{stepText(s)}</span>
          {s.verdict && <Status type={looks[s.verdict]}>{s.verdict === 'Hold' ? 'wait' : s.verdict.toLowerCase()}</Status>}
          <span className="soft"><Time at={s.time} /></span>
          {detail(s, analysis) && <span className="timeline-detail">{detail(s, analysis)}</span>}
          {analysis && s.analysis && <Numbers a={s.analysis} />}
        </li>
      ))}
    </ol>
  )
}

/** What the step says beyond its name, and beyond its numbers where they are shown: those are why it went on. */
function detail(s: ReleaseStep, numbers: boolean): string {
  const told = s.action === 'Shifted' || (numbers && s.analysis && s.verdict === 'Advance')
  return told ? '' : shortDigests(s.detail ?? '')
}

function Numbers({ a }: { a: NonNullable<ReleaseStep['analysis']> }) {
  return (
    <span className="timeline-detail soft num">
      old {a.baseErrors} errors of {a.baseRequests} · new {a.canaryErrors} of {a.canaryRequests} · evidence of harm (e-value) {a.errorE.toFixed(2)} ·
      latency {a.latencyRatio ? `× ${a.latencyRatio.toFixed(2)}` : 'not known'} · canned answers {a.cannedPassed} of {a.cannedTotal}
    </span>
  )
}
