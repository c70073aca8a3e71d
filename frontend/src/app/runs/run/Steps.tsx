import { useQuery } from '@tanstack/react-query'
import { lazy, Suspense, useState } from 'react'
import { runs } from '../../../data/runs'
import type { WorkflowStep } from '../../../data/schema'
import { words } from '../../../lib/format'
import { chain, nested } from '../../../lib/graph'
import { calledOff, toItsFailure, type Seen } from '../../../lib/workflow'
import { Async, Card, Empty, Header, Segmented, Spinner, StepState, Time, Took, Wide } from '../../../ui'

const Graph = lazy(() => import('../../../ui/Graph'))

/** The steps of the workflow as a graph and as an equal table, live. */
export function Steps({ run, final, cancelled, explained }: { run: string; final: boolean; cancelled: boolean; explained: boolean }) {
  const steps = useQuery(runs.steps(run, final))
  const seen = (items: WorkflowStep[]) => (cancelled ? calledOff(items) : toItsFailure(items))
  const [view, setView] = useState('graph')
  const pick = (
    <Segmented label="View" selectedId={view} onChange={(e) => setView(e.detail.selectedId)}
      options={[{ id: 'graph', text: 'Graph' }, { id: 'table', text: 'Table' }]} />
  )
  return (
    <Card header={<Header variant="h2" actions={pick}>Steps</Header>}>
      <Async query={steps}>
        {({ items }) => (items.length === 0
          ? <Empty title="No step yet">The run waits for its turn: one run per model at a time.</Empty>
          : view === 'table' ? <StepTable items={seen(items)} /> : <Picture items={seen(items)} noted={!explained} />)}
      </Async>
    </Card>
  )
}

function Picture({ items, noted }: { items: Seen[]; noted: boolean }) {
  const { nodes, edges } = chain(items.filter((s) => !s.name.includes('/')).map((s) => ({ id: s.name, title: words(s.name), status: s.status, from: s.started, to: s.ended })))
  const note = noted && items.findLast((s) => s.status === 'Running' || s.status === 'Waiting' || s.status === 'Failed')
  return (
    <>
      <Suspense fallback={<Spinner />}><Graph nodes={nodes} edges={edges} height="short" label="Steps of the run; the table says the same" /></Suspense>
      {note && <p className="soft" aria-live="polite">{stepName(note.name)}: {note.error ?? note.detail ?? note.status.toLowerCase()}</p>}
    </>
  )
}

const stepName = (name: string) => name.split('/').map(words).join(', ')

function StepTable({ items }: { items: Seen[] }) {
  const detailed = items.some((s) => s.error ?? s.detail)
  return (
    <Wide label="Steps">
      <table className="plain" aria-label="Steps">
        <thead><tr><th scope="col">Step</th><th scope="col">State</th><th scope="col">Started</th><th scope="col">Took</th>{detailed && <th scope="col">Detail</th>}</tr></thead>
        <tbody>
          {nested(items).map((s, i) => (
            <tr key={s.name + i}>
              <td className={s.name.includes('/') ? 'inner' : undefined}>{words(s.name.split('/').at(-1)!)}</td><td><StepState status={s.status} /></td><td><Time at={s.started} /></td>
              <td>{s.started ? <Took from={s.started} to={s.ended} /> : '—'}</td>{detailed && <td>{s.error ?? s.detail ?? ''}</td>}
            </tr>
          ))}
        </tbody>
      </table>
    </Wide>
  )
}
