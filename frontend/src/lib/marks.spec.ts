import { expect, test } from 'vitest'
import type { ReleaseStep } from '../data/schema'
import { flags, inTime, releaseMarks, rollbackMarks } from './marks'

const step = (action: ReleaseStep['action'], environment: string, second: number): ReleaseStep =>
  ({ action, environment, weight: 10, time: new Date(second * 1000).toISOString() })

test('a release marks its first shift and its end, in its environment only', () => {
  const release = { version: 3, steps: [step('Shifted', 'production', 10), step('Shifted', 'production', 20), step('Finished', 'production', 30), step('Shifted', 'staging', 5)] }
  expect(releaseMarks([release], 'production')).toEqual([{ x: 10, text: 'version 3 gets its first requests' }, { x: 30, text: 'version 3 is live' }])
})
test('a release that went back says so', () =>
  expect(releaseMarks([{ version: 4, steps: [step('Reverted', 'production', 9)] }], 'production')).toEqual([{ x: 9, text: 'version 4 went back' }]))
test('a rollback says from where to where, and whether anybody did it', () => {
  const target = (version: number) => ({ version, digest: '', endpoint: '', weight: 0 })
  expect(rollbackMarks([{ from: target(3), to: target(2), created: new Date(7000).toISOString(), automatic: true }])).toEqual([{ x: 7, text: 'rolled back from version 3 to 2, by itself' }])
})
test('the earliest mark comes first, and none outside of the time that is shown', () =>
  expect(inTime([300, 200, 5].map((x) => ({ x, text: '' })), [100, 400]).map((m) => m.x)).toEqual([200, 300]))
test('marks that stand close together share a flag with their numbers', () =>
  expect(flags([10, 20, 28, 100], 15)).toEqual([{ at: 19, first: 1, last: 3 }, { at: 100, first: 4, last: 4 }]))
