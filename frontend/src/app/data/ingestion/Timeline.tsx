import type { Ingestion } from '../../../data/schema'
import { groupedRows, words } from '../../../lib/format'
import { Empty, StepState, Time, Took } from '../../../ui'

/** What was done with the file, as it happens. */
export function Timeline({ steps }: { steps: Ingestion['steps'] }) {
  if (steps.length === 0) return <Empty title="Nothing yet">The checks start within a second.</Empty>
  return (
    <ol className="timeline" aria-live="polite">
      {steps.map((s, i) => (
        <li key={i}>
          <span className="timeline-name">{words(s.name)}</span>
          <StepState status={s.failed ? 'Failed' : s.ended ? 'Done' : s.name === 'Decide' ? 'Waiting' : 'Running'} />
          <span className="soft"><Time at={s.started} />{s.ended ? <>, took <Took from={s.started} to={s.ended} /></> : null}</span>
          {s.detail && <span className="timeline-detail">{groupedRows(s.detail)}</span>}
        </li>
      ))}
    </ol>
  )
}
