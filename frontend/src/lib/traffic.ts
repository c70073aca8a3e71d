import type { Environment, Target, TrafficPoint } from '../data/schema'

/** What an environment serves: the version that carries most requests. */
export function serving(e: Pick<Environment, 'targets'>): Target | undefined {
  return [...e.targets].filter((t) => t.weight > 0).sort((a, b) => b.weight - a.weight)[0]
}

/** What one can go back to, the usual one first: what is warm, then what carries a smaller share. */
export function wayBack(e: Environment): Target[] {
  const live = serving(e)
  const rank = (t: Target) => (t.digest === e.previous ? 0 : t.weight === 0 ? 1 : 2)
  return e.targets.filter((t) => t.digest !== live?.digest).sort((a, b) => rank(a) - rank(b) || b.version - a.version)
}

/** Whether there is a version to go back to, warm or not. */
export const earlier = (e: Environment): boolean => !!e.previous || wayBack(e).length > 0

export interface Panel {
  times: number[] // seconds since 1970
  byDigest: Map<string, { requests: (number | null)[]; errors: (number | null)[]; latency: (number | null)[]; tokens: (number | null)[] }>
}

const perRequest = (p: TrafficPoint) => (p.requests > p.errors ? p.latencyMs / (p.requests - p.errors) : null)

/** Minutes of traffic as columns per version: requests, share of errors in percent, mean latency in ms, tokens. */
export function panels(points: TrafficPoint[]): Panel {
  const seconds = (p: TrafficPoint) => Math.floor(Date.parse(p.time) / 1000)
  const times = [...new Set(points.map(seconds))].sort((a, b) => a - b)
  const index = new Map(times.map((t, i) => [t, i]))
  const byDigest: Panel['byDigest'] = new Map()
  const blank = () => times.map(() => null as number | null)
  for (const p of points) {
    if (!byDigest.has(p.digest)) byDigest.set(p.digest, { requests: blank(), errors: blank(), latency: blank(), tokens: blank() })
    const columns = byDigest.get(p.digest)!
    const i = index.get(seconds(p))!
    columns.requests[i] = p.requests
    columns.errors[i] = p.requests ? (100 * p.errors) / p.requests : null
    columns.latency[i] = perRequest(p)
    columns.tokens[i] = p.tokens
  }
  return { times, byDigest }
}

/** Sums over the window: what the numbers above the charts say. */
export function totals(points: TrafficPoint[]): { requests: number; errorShare: number; latencyMs: number; tokens: number } {
  const sum = (f: (p: TrafficPoint) => number) => points.reduce((n, p) => n + f(p), 0)
  const requests = sum((p) => p.requests)
  const errors = sum((p) => p.errors)
  return { requests, errorShare: requests ? errors / requests : 0, latencyMs: requests > errors ? sum((p) => p.latencyMs) / (requests - errors) : 0, tokens: sum((p) => p.tokens) }
}
