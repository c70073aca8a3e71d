import { expect, test } from 'vitest'
import type { ReleaseStep } from '../data/schema'
import { flags, releaseMarks } from './marks'

const step = (action: ReleaseStep['action'], environment: string, second: number): ReleaseStep =>
  ({ action, environment, weight: 10, time: new Date(second * 1000).toISOString() })

const always: [number, number] = [0, 1000]

test('a release marks its first shift and its end, in its environment only', () => {
  const release = { version: 3, steps: [step('Shifted', 'production', 10), step('Shifted', 'production', 20), step('Finished', 'production', 30), step('Shifted', 'staging', 5)] }
  expect(releaseMarks([release], 'production', always)).toEqual([{ x: 10, text: 'version 3 gets its first requests' }, { x: 30, text: 'version 3 is live' }])
})
test('a release that went back says so', () =>
  expect(releaseMarks([{ version: 4, steps: [step('Reverted', 'production', 9)] }], 'production', always)).toEqual([{ x: 9, text: 'version 4 went back' }]))
test('the earliest mark comes first, and none outside of the time that is shown', () => {
  const one = (version: number, second: number) => ({ version, steps: [step('Finished', 'production', second)] })
  expect(releaseMarks([one(3, 300), one(2, 200), one(1, 5)], 'production', [100, 400]).map((m) => m.x)).toEqual([200, 300])
})
test('marks that stand close together share a flag with their numbers', () =>
  expect(flags([10, 20, 28, 100], 15)).toEqual([{ at: 19, first: 1, last: 3 }, { at: 100, first: 4, last: 4 }]))
