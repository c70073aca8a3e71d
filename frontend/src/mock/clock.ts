/** Times of the fake platform count back from when it started. */
export const started = Date.now()
export const before = (minutes: number): string => new Date(started - minutes * 60_000).toISOString()
export const soon = (minutes: number): string => before(-minutes)

let n = 0
export const nextId = (kind: string): string => `${kind}_01jz${String(++n).padStart(6, '0')}`

/** A digest that looks like one and is the same every time. */
export function digestOf(seed: string): string {
  let h = 2166136261
  let hex = ''
  for (let i = 0; i < 64; i++) {
    h = Math.imul(h ^ (seed.charCodeAt(i % seed.length) + i), 16777619) >>> 0
    hex += (h >>> 28).toString(16)
  }
  return `sha256:${hex}`
}
