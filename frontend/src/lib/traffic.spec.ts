import { describe, expect, test } from 'vitest'
import { state } from '../mock/state'
import { panels, serving, totals, wayBack } from './traffic'

const environment = (name: string) => state.environments.find((e) => e.name === name)!

describe('an environment', () => {
  test('serves what carries most requests', () => expect(serving(environment('production'))?.version).toBe(13))
  test('serves nothing when nothing carries requests', () => expect(serving({ targets: [] })).toBeUndefined())
  test('goes back to the previous version first', () => {
    const e = environment('production')
    const more = { ...e, targets: [...e.targets, { version: 14, digest: 'sha256:x', endpoint: '', weight: 0 }] }
    expect(wayBack(more).map((t) => t.version)).toEqual([12, 14])
  })
})

const point = (time: string, digest: string, requests: number, errors: number, latencyMs: number) => ({ time, digest, requests, errors, latencyMs, tokens: 10 })
const [t1, t2] = ['2026-01-01T00:00:00Z', '2026-01-01T00:01:00Z'] as const

describe('panels', () => {
  const p = panels([point(t2, 'a', 10, 5, 500), point(t1, 'b', 4, 0, 400), point(t1, 'a', 2, 2, 0)])
  test('have a column per version and a hole where it served nothing', () => {
    expect(p.times).toHaveLength(2)
    expect(p.byDigest.get('a')).toEqual({ requests: [2, 10], errors: [100, 50], latency: [null, 100], tokens: [10, 10] })
    expect(p.byDigest.get('b')!.requests).toEqual([4, null])
  })
})

test('totals weigh by request', () =>
  expect(totals([point(t1, 'a', 10, 0, 1000), point(t2, 'a', 10, 10, 0)])).toEqual({ requests: 20, errorShare: 0.5, latencyMs: 100, tokens: 20 }))
test('no traffic has no errors', () => expect(totals([])).toEqual({ requests: 0, errorShare: 0, latencyMs: 0, tokens: 0 }))
