import { describe, expect, test } from 'vitest'
import { openSubject, paths, withSearch } from './paths'

describe('paths', () => {
  test('encode what people named', () => expect(paths.benchmark('a b/c')).toBe('/benchmarks/a%20b%2Fc'))
  test('leave out empty search parameters', () =>
    expect(withSearch('/x', { a: undefined, b: '', c: 0 })).toBe('/x?c=0'))
  test('keep the page to come back to', () => expect(paths.signIn('/runs?model=m')).toBe('/sign-in?next=%2Fruns%3Fmodel%3Dm'))
})

describe('openSubject', () => {
  test.each([
    [{ type: 'run', id: 'run_1' }, '/runs/run_1'],
    [{ type: 'datasetVersion', id: 'support@3' }, '/data/support/versions/3'],
    [{ type: 'modelVersion', id: 'assistant@14' }, '/models/assistant/versions/14'],
    [{ type: 'deployment', id: 'rel_1' }, '/releases/rel_1'],
    [{ type: 'environment', id: 'assistant/production' }, '/deployment?model=assistant'],
    [{ type: 'modelVersion', id: 'odd' }, undefined],
    [{ type: 'comet', id: '1' }, undefined],
    [undefined, undefined],
  ])('%o opens %s', (subject, want) => expect(openSubject(subject)).toBe(want))
})
