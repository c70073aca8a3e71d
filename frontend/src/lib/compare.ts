import type { Comparison, GateReport, Verdict } from '../data/schema'

export type Outcome = 'better' | 'same' | 'worse' | 'underpowered'

/**
 * What a paired comparison shows, in one word. The interval is the gate's own (95%); nothing is computed anew:
 * "underpowered" means that the gate could not rule out a loss over the margin.
 */
export function outcome(c: Comparison): Outcome {
  if (c.ci95.low > 0) return 'better'
  if (c.ci95.high < 0) return 'worse'
  return c.verdict === 'INCONCLUSIVE' ? 'underpowered' : 'same'
}

export const outcomeWords: Record<Outcome, string> = {
  better: 'better', same: 'no change seen', worse: 'worse', underpowered: 'too few items',
}

const badness: Record<Verdict, number> = { FAIL: 0, INCONCLUSIVE: 1, PASS: 2 }

/** The worst first: by verdict, then by difference. */
export const worstFirst = (list: Comparison[]): Comparison[] =>
  [...list].sort((a, b) => badness[a.verdict] - badness[b.verdict] || a.delta - b.delta)

/** Ends of a common scale for intervals, symmetric around 0, that no interval leaves. */
export function scaleOf(list: Comparison[]): number {
  const most = Math.max(0.01, ...list.flatMap((c) => [Math.abs(c.ci95.low), Math.abs(c.ci95.high), c.margin ?? 0]))
  return most * 1.05
}

/** A place on the scale as percent from the left. */
export const place = (value: number, scale: number): number => 50 + (50 * value) / scale

/** How many rules spoke, and how. */
export function tally(report: GateReport): string {
  const applied = report.rules.filter((r) => r.applied)
  const of = (v: Verdict) => applied.filter((r) => r.verdict === v).length
  const parts = [`${of('PASS')} of ${applied.length} rules pass`]
  if (of('INCONCLUSIVE')) parts.push(`${of('INCONCLUSIVE')} inconclusive`)
  if (of('FAIL')) parts.push(`${of('FAIL')} fail`)
  return parts.join(' · ')
}

/** What the evidence speaks for; the decision stays a person's. */
export const advice: Record<Verdict, string> = {
  PASS: 'The evidence speaks for approving.',
  INCONCLUSIVE: 'The evidence is not enough: approve only with a reason that the numbers do not show.',
  FAIL: 'The evidence speaks against approving.',
}
