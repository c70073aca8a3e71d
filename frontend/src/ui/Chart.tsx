import { useEffect, useRef } from 'react'
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import { flags, type Flag, type Mark } from '../lib/marks'
import { useDark } from './theme'

export interface Series {
  label: string
  color: string // name of a custom property: "info" is var(--info)
  values: (number | null)[]
  dash?: number[]
  points?: boolean
}

interface Props {
  x: number[]
  series: Series[]
  label: string
  time?: boolean // x is seconds since 1970
  xLabel?: string
  format?: (v: number) => string
  marks?: Mark[] // in the order of x
  height?: number
  span?: [from: number, to: number] // of x, where it does not follow the values
  fromZero?: boolean // the lowest value shown is 0
}

const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' })
const cssColor = (name: string) => getComputedStyle(document.body).getPropertyValue(`--${name}`).trim() || '#888'

function axes(p: Props): uPlot.Axis[] {
  const look = { stroke: cssColor('ink-soft'), grid: { stroke: cssColor('line'), width: 1 }, ticks: { show: false }, font: '12px system-ui' }
  return [{ ...look, size: 30, ...(p.time ? { values: (_u: uPlot, v: number[]) => v.map((n) => clock.format(n * 1000)) } : {}) }, { ...look, size: 62, values: (_u, v) => v.map((n) => (p.format ?? String)(n)) }]
}

const lane = 26 // pixels above the chart, where the flags of marks stand

const placesOf = (u: uPlot, marks: Mark[]) => marks.map((m) => Math.round(u.valToPos(m.x, 'x', true)))

/** A pill with the number of a mark, or of the first and last of several. */
function flag(u: uPlot, { at, first, last }: Flag) {
  const { ctx, bbox } = u
  const px = devicePixelRatio
  const text = first === last ? String(first) : `${first}–${last}`
  const width = Math.max(18 * px, ctx.measureText(text).width + 10 * px)
  const left = Math.min(Math.max(at - width / 2, bbox.left), bbox.left + bbox.width - width)
  const top = bbox.top - (lane - 4) * px
  ctx.fillStyle = cssColor('accent')
  ctx.beginPath()
  ctx.roundRect(left, top, width, 18 * px, 9 * px)
  ctx.fill()
  ctx.fillStyle = cssColor('surface')
  ctx.fillText(text, left + width / 2, top + 9.5 * px)
}

/** Where something happened, such as a release: a line behind the curves, and above them its number in the list of the page. */
function markPlugin(marks: Mark[]): uPlot.Plugin {
  const draw = (how: (u: uPlot) => void) => (u: uPlot) => {
    u.ctx.save()
    how(u)
    u.ctx.restore()
  }
  const lines = draw((u) => {
    Object.assign(u.ctx, { strokeStyle: cssColor('accent'), lineWidth: devicePixelRatio, globalAlpha: 0.6 })
    u.ctx.setLineDash([4 * devicePixelRatio, 4 * devicePixelRatio])
    for (const x of placesOf(u, marks)) {
      u.ctx.beginPath()
      u.ctx.moveTo(x, u.bbox.top)
      u.ctx.lineTo(x, u.bbox.top + u.bbox.height)
      u.ctx.stroke()
    }
  })
  const pills = draw((u) => {
    Object.assign(u.ctx, { font: `600 ${11 * devicePixelRatio}px system-ui`, textAlign: 'center', textBaseline: 'middle' })
    flags(placesOf(u, marks), 30 * devicePixelRatio).forEach((f) => flag(u, f))
  })
  return { hooks: { drawClear: lines, draw: pills } }
}

/** Without a span the values set it; a line that starts at 0 leaves a tenth of room above. */
function scales(p: Props): uPlot.Scales {
  const x: uPlot.Scale = { time: p.time ?? false }
  if (p.span) x.range = [...p.span]
  return { x, y: p.fromZero ? { range: (_u, _low, high) => [0, high > 0 ? high * 1.1 : 1] } : {} }
}

function options(p: Props, width: number): uPlot.Options {
  return {
    width, height: p.height ?? 220, axes: axes(p), scales: scales(p), plugins: p.marks ? [markPlugin(p.marks)] : [], padding: p.marks ? [lane, null, null, null] : undefined,
    legend: { live: true }, cursor: { points: { size: 6 }, drag: { x: true, y: false } },
    series: [
      p.time ? { label: 'Time', value: (_u, v) => (v === null ? '—' : clock.format(v * 1000)) } : { label: p.xLabel ?? 'x', value: (_u, v) => (v === null ? '—' : String(v)) },
      ...p.series.map((s): uPlot.Series => ({
        label: s.label, stroke: cssColor(s.color), width: 2, dash: s.dash, spanGaps: true, points: { show: s.points ?? false, size: 5 },
        value: (_u, v) => (v === null ? '—' : (p.format ?? String)(v)),
      })),
    ],
  }
}

/** A chart of lines over steps or time. Its numbers stand in a table beside it, for those who cannot see it. */
export default function Chart(p: Props) {
  const box = useRef<HTMLDivElement>(null)
  const plot = useRef<uPlot>(undefined)
  const dark = useDark()
  const shape = JSON.stringify([p.series.map((s) => [s.label, s.color]), p.marks, dark, p.time, p.span])
  useEffect(() => {
    const host = box.current
    if (!host) return
    plot.current = new uPlot(options(p, host.clientWidth), [p.x, ...p.series.map((s) => s.values)] as uPlot.AlignedData, host)
    const fit = new ResizeObserver(() => plot.current?.setSize({ width: host.clientWidth, height: p.height ?? 220 }))
    fit.observe(host)
    return () => {
      fit.disconnect()
      plot.current?.destroy()
    }
    // eslint-disable-next-line react-hooks/exhaustive-deps -- new numbers are set below without building it again
  }, [shape])
  useEffect(() => {
    plot.current?.setData([p.x, ...p.series.map((s) => s.values)] as uPlot.AlignedData)
  }, [p.x, p.series])
  return <div ref={box} className="chart" role="img" aria-label={p.label} />
}
