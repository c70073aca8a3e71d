import { expect, test } from 'vitest'
import type { ReleaseStep } from '../data/schema'
import { releaseMarks, rowsOf } from './marks'

const step = (action: ReleaseStep['action'], environment: string, second: number): ReleaseStep =>
  ({ action, environment, weight: 10, time: new Date(second * 1000).toISOString() })

test('a release marks its first shift and its end, in its environment only', () => {
  const release = { version: 3, steps: [step('Shifted', 'production', 10), step('Shifted', 'production', 20), step('Finished', 'production', 30), step('Shifted', 'staging', 5)] }
  expect(releaseMarks([release], 'production')).toEqual([{ x: 10, text: 'v3 starts' }, { x: 30, text: 'v3 live' }])
})
test('a release that went back says so', () =>
  expect(releaseMarks([{ version: 4, steps: [step('Reverted', 'production', 9)] }], 'production')).toEqual([{ x: 9, text: 'v4 back' }]))
test('labels that would overlap stand below each other', () =>
  expect(rowsOf([[0, 50], [60, 90], [10, 40], [45, 80]])).toEqual([0, 0, 1, 1]))
