import type { Stage } from '../../data/schema'
import { groupedRows } from '../../lib/format'
import { openSubject, paths } from '../../lib/paths'
import { Health, Time } from '../../ui'

const names: Record<Stage['name'], [title: string, question: string]> = {
  data: ['Data', 'What arrived?'],
  training: ['Training', 'What is learned?'],
  evaluation: ['Evaluation', 'Is it better?'],
  approval: ['Approval', 'Who decides?'],
  release: ['Release', 'Where is it going?'],
  serving: ['Serving', 'How does it do?'],
}

const lists: Record<Stage['name'], () => string> = {
  data: paths.data, training: () => paths.runs(), evaluation: () => paths.runs({ status: 'Evaluating' }),
  approval: () => paths.approvals('Pending'), release: () => paths.releases(), serving: () => paths.monitoring(),
}

/** The loop that keeps a model current, stage by stage, with its health. */
export function Loop({ stages }: { stages: Stage[] }) {
  return (
    <section aria-label="The loop">
      <ol className="loop">
        {stages.map((s) => (
          <li key={s.name} className={`stage stage-${s.health}`}>
            <a href={openSubject(s.subject) ?? lists[s.name]()} aria-label={`${names[s.name][0]}: ${s.summary}`}>
              <span className="stage-name">{names[s.name][0]}</span>
              <Health health={s.health} />
              <span className="stage-text">{groupedRows(s.summary) || names[s.name][1]}</span>
              <span className="stage-since">{s.since ? <Time at={s.since} /> : '\u00a0'}</span>
            </a>
          </li>
        ))}
      </ol>
      <p className="loop-back" aria-hidden="true">what serving shows starts the next round</p>
    </section>
  )
}
