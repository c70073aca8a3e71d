import { useQuery } from '@tanstack/react-query'
import { lazy, Suspense, useMemo } from 'react'
import { useVersionName } from '../../data/hooks'
import { environments, releases } from '../../data/releases'
import type { TrafficPoint } from '../../data/schema'
import { count, duration, percent, short } from '../../lib/format'
import { inTime, releaseMarks, rollbackMarks, type Mark } from '../../lib/marks'
import { panels, totals } from '../../lib/traffic'
import { Box, Card, Columns, Empty, Expandable, Header, Spinner, Stack } from '../../ui'
import type { Series } from '../../ui/Chart'
import { useMinute } from '../../ui/Time'
import { ReleaseMarks } from './ReleaseMarks'

const Chart = lazy(() => import('../../ui/Chart'))
const colors = ['info', 'warn', 'ok', 'bad', 'accent']
type Column = 'requests' | 'errors' | 'latency' | 'tokens'
const kinds: { key: Column; title: string; format: (v: number) => string }[] = [
  { key: 'requests', title: 'Requests per minute', format: count },
  { key: 'errors', title: 'Errors, percent of requests', format: (v) => `${v.toFixed(1)}` },
  { key: 'latency', title: 'Mean latency, milliseconds', format: (v) => count(Math.round(v)) },
  { key: 'tokens', title: 'Tokens per minute', format: short },
]

interface Props { model: string; env: string; points: TrafficPoint[]; minutes: number }

/** Four panels over one span, by version, with release marks. */
export function Charts({ model, env, points, minutes }: Props) {
  const name = useVersionName(model)
  const list = useQuery(releases.list(model))
  const back = useQuery(environments.rollbacks(model, env))
  const end = useMinute()
  const span = useMemo((): [number, number] => [end - minutes * 60, end], [end, minutes])
  const marks = useMemo(() => inTime([...releaseMarks(list.data?.items ?? [], env), ...rollbackMarks(back.data?.items ?? [])], span), [list.data, back.data, env, span])
  const p = useMemo(() => panels(points), [points])
  if (points.length === 0) {
    return <Card><Empty title={`No requests to ${env} in this time`}>Send one to <code>/gateway/{env}/v1/chat/completions</code> with an API key, or choose a longer span.</Empty></Card>
  }
  const sparse = p.times.length < 30 // single minutes make no line
  const series = (key: Column): Series[] => [...p.byDigest].map(([d, c], i) => ({ label: name(d), color: colors[i % colors.length]!, values: c[key], points: sparse }))
  return (
    <Stack size="l">
      <Numbers points={points} minutes={minutes} />
      <Suspense fallback={<Spinner />}>
        <div className="two-columns">{kinds.map((k) => <Panel key={k.key} kind={k} times={p.times} series={series(k.key)} marks={marks} span={span} />)}</div>
      </Suspense>
      <ReleaseMarks marks={marks} />
      <ByVersion points={points} name={name} />
    </Stack>
  )
}

interface PanelProps { kind: (typeof kinds)[number]; times: number[]; series: Series[]; marks: Mark[]; span: [number, number] }

function Panel({ kind, times, series, marks, span }: PanelProps) {
  return (
    <Card header={<Header variant="h3">{kind.title}</Header>}>
      <Chart x={times} time series={series} marks={marks} label={`${kind.title} by version; totals stand in the table below`} format={kind.format} height={200} span={span} fromZero />
    </Card>
  )
}

function Numbers({ points, minutes }: { points: TrafficPoint[]; minutes: number }) {
  const t = totals(points)
  const cells: [string, string][] = [
    ['Requests', count(t.requests)], ['Errors', percent(t.errorShare, 2)], ['Mean latency', duration(t.latencyMs)], ['Tokens', short(t.tokens)],
  ]
  return (
    <Card header={<Header variant="h2">Last {minutes} minutes</Header>}>
      <Columns columns={4} variant="text-grid" minColumnWidth={140}>
        {cells.map(([label, value]) => <div key={label}><Box variant="awsui-key-label">{label}</Box><span className="big num">{value}</span></div>)}
      </Columns>
    </Card>
  )
}

function ByVersion({ points, name }: { points: TrafficPoint[]; name: (d: string) => string }) {
  const digests = [...new Set(points.map((p) => p.digest))]
  return (
    <Expandable variant="container" headerText="The same as a table" defaultExpanded={false}>
      <table className="plain" aria-label="Traffic by version">
        <thead><tr><th scope="col">Version</th><th scope="col">Requests</th><th scope="col">Errors</th><th scope="col">Mean latency</th><th scope="col">Tokens</th></tr></thead>
        <tbody>
          {digests.map((d) => {
            const t = totals(points.filter((p) => p.digest === d))
            return <tr key={d}><th scope="row">{name(d)}</th><td>{count(t.requests)}</td><td>{percent(t.errorShare, 2)}</td><td>{duration(t.latencyMs)}</td><td>{count(t.tokens)}</td></tr>
          })}
        </tbody>
      </table>
    </Expandable>
  )
}
