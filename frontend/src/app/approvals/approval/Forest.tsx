import type { Comparison } from '../../../data/schema'
import { outcome, place } from '../../../lib/compare'
import { points } from '../../../lib/format'

/** An interval on the common scale, with zero and the margin; printable, and said in words. */
export function Forest({ c, scale }: { c: Comparison; scale: number }) {
  const x = (v: number) => `${place(v, scale)}%`
  const label = `${points(c.delta)} points, from ${points(c.ci95.low)} to ${points(c.ci95.high)}`
  return (
    <svg className={`forest forest-${outcome(c)}`} role="img" aria-label={label} width="100%" height="24">
      <title>{label}</title>
      <line className="forest-zero" x1="50%" x2="50%" y1="0" y2="24" />
      {c.margin ? <line className="forest-margin" x1={x(-c.margin)} x2={x(-c.margin)} y1="2" y2="22" /> : null}
      <line className="forest-line" x1={x(c.ci95.low)} x2={x(c.ci95.high)} y1="12" y2="12" />
      <line className="forest-end" x1={x(c.ci95.low)} x2={x(c.ci95.low)} y1="8" y2="16" />
      <line className="forest-end" x1={x(c.ci95.high)} x2={x(c.ci95.high)} y1="8" y2="16" />
      <circle className="forest-dot" cx={x(c.delta)} cy="12" r="4.5" />
    </svg>
  )
}
