import type { Release, Rollback } from '../data/schema'

export interface Mark {
  x: number // seconds since 1970
  text: string
}

/** Marks that stand too close to be told apart, as one: where it stands, and the numbers of its first and last mark. */
export interface Flag {
  at: number
  first: number
  last: number
}

/** The flags of marks in the order of time, by their places in pixels; marks are numbered from 1. */
export function flags(places: number[], near: number): Flag[] {
  const out: (Flag & { end: number })[] = []
  places.forEach((place, i) => {
    const before = out.at(-1)
    if (before && place - before.end < near) Object.assign(before, { end: place, last: i + 1 })
    else out.push({ at: place, first: i + 1, last: i + 1, end: place })
  })
  return out.map(({ at, first, last, end }) => ({ at: (at + end) / 2, first, last }))
}

const texts: Partial<Record<Release['steps'][number]['action'], string>> = { Shifted: 'gets its first requests', Finished: 'is live', Reverted: 'went back' }

const seconds = (time: string) => Math.floor(Date.parse(time) / 1000)

/** When a release moved traffic in an environment: its first shift, and its end or return. */
export function releaseMarks(releases: Pick<Release, 'version' | 'steps'>[], environment: string): Mark[] {
  return releases.flatMap((r) => {
    const steps = r.steps.filter((s) => s.environment === environment)
    const moves = [steps.find((s) => s.action === 'Shifted'), steps.find((s) => s.action === 'Finished' || s.action === 'Reverted')]
    return moves.flatMap((s) => (s ? [{ x: seconds(s.time), text: `version ${r.version} ${texts[s.action]}` }] : []))
  })
}

/** When people or the safety rules went back. */
export const rollbackMarks = (rollbacks: Pick<Rollback, 'from' | 'to' | 'created' | 'automatic'>[]): Mark[] =>
  rollbacks.map((r) => ({ x: seconds(r.created), text: `rolled back from version ${r.from.version} to ${r.to.version}${r.automatic ? ', by itself' : ''}` }))

/** The marks of a time, the earliest first. */
export const inTime = (marks: Mark[], [from, to]: [number, number]): Mark[] =>
  marks.filter((m) => m.x >= from && m.x <= to).sort((a, b) => a.x - b.x)
