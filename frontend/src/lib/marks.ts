import type { Release } from '../data/schema'

/** The row for each label, so that labels that would overlap stand below each other. Labels are [from, to] in pixels. */
export function rowsOf(labels: [from: number, to: number][]): number[] {
  const ends: number[] = [] // where the last label of each row ends
  const rows = labels.map(() => 0)
  const byStart = labels.map((_, i) => i).sort((a, b) => labels[a]![0] - labels[b]![0])
  for (const i of byStart) {
    const [from, to] = labels[i]!
    const free = ends.findIndex((end) => end < from)
    rows[i] = free < 0 ? ends.length : free
    ends[rows[i]!] = to
  }
  return rows
}

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
