import { expect, test } from 'vitest'
import { staleAfter } from './stale'

test('a run makes runs and models stale, and always the overview', () =>
  expect(staleAfter(['run'])).toEqual(new Set(['overview', 'audit', 'runs', 'models', 'lineage'])))
test('several subjects add up', () => expect(staleAfter(['user', 'Hold'])).toContain('environments'))
test('an unknown subject makes everything stale', () => expect(staleAfter(['run', 'comet'])).toBeNull())
