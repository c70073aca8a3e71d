import type { Release } from '../data/schema'

/** When traffic moved in an environment: first shift, end and return of each release there, for charts. */
export function releaseMarks(releases: Pick<Release, 'version' | 'steps'>[], environment: string): { x: number; text: string }[] {
  const seconds = (time: string) => Math.floor(Date.parse(time) / 1000)
  return releases.flatMap((r) => {
    const steps = r.steps.filter((s) => s.environment === environment)
    const shift = steps.find((s) => s.action === 'Shifted')
    const end = steps.find((s) => s.action === 'Finished' || s.action === 'Reverted')
    const marks = shift ? [{ x: seconds(shift.time), text: `v${r.version} starts` }] : []
    if (end) marks.push({ x: seconds(end.time), text: end.action === 'Finished' ? `v${r.version} live` : `v${r.version} back` })
    return marks
  })
}
