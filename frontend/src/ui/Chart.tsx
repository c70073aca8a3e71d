import { useEffect, useRef } from 'react'
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import { rowsOf } from '../lib/marks'
import { useDark } from './theme'

export interface Series {
  label: string
  color: string // name of a custom property: "info" is var(--info)
  values: (number | null)[]
  dash?: number[]
  points?: boolean
}

export interface Mark {
  x: number
  text: string
}

interface Props {
  x: number[]
  series: Series[]
  label: string
  time?: boolean // x is seconds since 1970
  xLabel?: string
  format?: (v: number) => string
  marks?: Mark[]
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

/** Writes over lines and curves, so that each word can be read. */
function writeOnGround(ctx: CanvasRenderingContext2D, text: string, x: number, y: number) {
  ctx.setLineDash([])
  ctx.lineWidth = 5 * devicePixelRatio
  ctx.strokeStyle = cssColor('surface')
  ctx.strokeText(text, x, y)
  ctx.fillText(text, x, y)
}

/** Vertical lines where something happened, such as a release. */
function markPlugin(marks: Mark[]): uPlot.Plugin {
  return { hooks: { draw: (u) => {
    const { ctx, bbox } = u
    ctx.save()
    ctx.strokeStyle = cssColor('accent')
    ctx.fillStyle = cssColor('accent')
    ctx.font = `${11 * devicePixelRatio}px system-ui`
    ctx.textAlign = 'left'
    ctx.setLineDash([4, 4])
    const right = bbox.left + bbox.width
    const line = 13 * devicePixelRatio
    const placed = marks.map((m) => ({ x: Math.round(u.valToPos(m.x, 'x', true)), text: m.text })).filter(({ x }) => x >= bbox.left && x <= right)
    const names: [text: string, x: number, y: number][] = []
    rowsOf(placed.map(({ x, text }) => [x, x + ctx.measureText(text).width])).forEach((row, i) => {
      const { x, text } = placed[i]!
      ctx.beginPath()
      ctx.moveTo(x, bbox.top)
      ctx.lineTo(x, bbox.top + bbox.height)
      ctx.stroke()
      names.push([text, Math.min(x + 4, right - ctx.measureText(text).width), bbox.top + line * (row + 1)])
    })
    names.forEach(([text, x, y]) => writeOnGround(ctx, text, x, y))
    ctx.restore()
  } } }
}

/** Without a span the values set it; a line that starts at 0 leaves a tenth of room above. */
function scales(p: Props): uPlot.Scales {
  const x: uPlot.Scale = { time: p.time ?? false }
  if (p.span) x.range = [...p.span]
  return { x, y: p.fromZero ? { range: (_u, _low, high) => [0, high > 0 ? high * 1.1 : 1] } : {} }
}

function options(p: Props, width: number): uPlot.Options {
  return {
    width, height: p.height ?? 220, axes: axes(p), scales: scales(p), plugins: [markPlugin(p.marks ?? [])],
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
