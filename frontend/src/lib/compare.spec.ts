import { describe, expect, test } from 'vitest'
import type { Comparison } from '../data/schema'
import { report } from '../mock/report'
import { outcome, place, scaleOf, tally, worstFirst } from './compare'

const c = (low: number, high: number, verdict: Comparison['verdict'] = 'PASS'): Comparison =>
  ({ ...report.pooled, delta: (low + high) / 2, ci95: { low, high }, verdict, margin: 0.03 })

describe('outcome', () => {
  test.each([
    [c(0.01, 0.05), 'better'], [c(-0.05, -0.01), 'worse'], [c(-0.01, 0.01), 'same'], [c(-0.1, 0.1, 'INCONCLUSIVE'), 'underpowered'],
    [c(0, 0), 'same'],
  ])('%# is %s', (comparison, want) => expect(outcome(comparison)).toBe(want))
})

test('the worst stands first: FAIL, then INCONCLUSIVE, then by difference', () => {
  const [pass, bad, unsure, worse] = [c(0.01, 0.02), c(-0.2, -0.1, 'FAIL'), c(-0.1, 0.1, 'INCONCLUSIVE'), c(-0.02, 0.01)]
  expect(worstFirst([pass!, worse!, unsure!, bad!])).toEqual([bad, unsure, worse, pass])
})

test('no interval leaves the common scale', () => {
  const list = [c(-0.2, 0.1), c(-0.01, 0.4)]
  const scale = scaleOf(list)
  for (const { ci95 } of list) {
    expect(place(ci95.low, scale)).toBeGreaterThanOrEqual(0)
    expect(place(ci95.high, scale)).toBeLessThanOrEqual(100)
  }
  expect(place(0, scale)).toBe(50)
})

test('rules that do not apply are not counted', () => expect(tally(report)).toBe('7 of 7 rules pass'))
