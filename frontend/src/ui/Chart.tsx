import { useEffect, useRef } from 'react'
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
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
}

const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' })
const cssColor = (name: string) => getComputedStyle(document.body).getPropertyValue(`--${name}`).trim() || '#888'

function axes(p: Props): uPlot.Axis[] {
  const look = { stroke: cssColor('ink-soft'), grid: { stroke: cssColor('line'), width: 1 }, ticks: { show: false }, font: '12px system-ui' }
  return [{ ...look, size: 30, ...(p.time ? { values: (_u: uPlot, v: number[]) => v.map((n) => clock.format(n * 1000)) } : {}) }, { ...look, size: 62, values: (_u, v) => v.map((n) => (p.format ?? String)(n)) }]
}

/** Vertical lines where something happened, such as a release. */
function markPlugin(marks: Mark[]): uPlot.Plugin {
  return { hooks: { draw: (u) => {
    const { ctx, bbox } = u
    ctx.save()
    ctx.strokeStyle = cssColor('accent')
    ctx.fillStyle = cssColor('accent')
    ctx.font = `${11 * devicePixelRatio}px system-ui`
    ctx.setLineDash([4, 4])
    for (const m of marks) {
      const x = Math.round(u.valToPos(m.x, 'x', true))
      if (x < bbox.left || x > bbox.left + bbox.width) continue
      ctx.beginPath()
      ctx.moveTo(x, bbox.top)
      ctx.lineTo(x, bbox.top + bbox.height)
      ctx.stroke()
      ctx.fillText(m.text, x + 4, bbox.top + 12 * devicePixelRatio)
    }
    ctx.restore()
  } } }
}

function options(p: Props, width: number): uPlot.Options {
  return {
    width, height: p.height ?? 220, axes: axes(p), scales: { x: { time: p.time ?? false } }, plugins: [markPlugin(p.marks ?? [])],
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
  const shape = JSON.stringify([p.series.map((s) => [s.label, s.color]), p.marks, dark, p.time])
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
