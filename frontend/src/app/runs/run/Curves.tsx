import { useQuery } from '@tanstack/react-query'
import { lazy, Suspense, useMemo } from 'react'
import { runs } from '../../../data/runs'
import type { MetricPoint } from '../../../data/schema'
import { columns, curveTitle, groups, lasting, metricTitle, type Curve } from '../../../lib/curves'
import { metric } from '../../../lib/format'
import { Async, Card, Empty, Header, Spinner } from '../../../ui'
import type { Series } from '../../../ui/Chart'

const Chart = lazy(() => import('../../../ui/Chart'))
const colors = ['info', 'warn', 'ok', 'bad']

/** Curves of the training, live: the loss on new and on old data, and how far the model moved. */
export function Curves({ run, final }: { run: string; final: boolean }) {
  const points = useQuery(runs.metrics(run, final))
  return (
    <Card header={<Header variant="h2" description="The loss on old data rises when the model forgets.">Curves</Header>}>
      <Async query={points}>
        {({ items }) => (items.length === 0 ? <Empty title="No numbers yet">They appear with the first training step.</Empty> : <Charts points={items} final={final} />)}
      </Async>
    </Card>
  )
}

const line = (c: Curve, i: number): Series =>
  ({ label: curveTitle(c.name), color: colors[i % colors.length]!, values: c.values, points: c.values.filter((v) => v !== null).length < 30 })

function Charts({ points, final }: { points: MetricPoint[]; final: boolean }) {
  const { steps, curves } = useMemo(() => columns(points), [points])
  const charts = useMemo(() => groups(curves).map((g) => ({ ...g, series: g.curves.map(line) })), [curves])
  return (
    <Suspense fallback={<Spinner />}>
      <div className="two-columns">
        {charts.map((g) => (
          <figure key={g.title} className="figure">
            <figcaption>{g.title}</figcaption>
            <Chart x={steps} series={g.series} label={`${g.title} over training steps`} xLabel="step" format={metric} />
          </figure>
        ))}
      </div>
      <table className="plain" aria-label="Last values">
        <thead><tr><th scope="col">Metric</th><th scope="col">First</th><th scope="col">Last</th></tr></thead>
        <tbody>
          {(final ? lasting(curves) : curves).map((c) => <tr key={c.name}><th scope="row">{metricTitle(c.name)}</th><td>{metric(c.values.find((v) => v !== null) ?? 0)}</td><td>{metric(c.last ?? 0)}</td></tr>)}
        </tbody>
      </table>
    </Suspense>
  )
}
