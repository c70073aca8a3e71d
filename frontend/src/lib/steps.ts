import type { ReleaseStep } from '../data/schema'

const texts: Record<ReleaseStep['action'], (s: ReleaseStep) => string> = {
  Prepared: () => 'Started, without requests yet',
  Verified: () => 'Verified: the right digest answers',
  Shifted: (s) => `${s.weight}% of requests`,
  Judged: (s) => `Judged at ${s.weight}%`,
  Finished: () => 'Finished',
  Reverted: () => 'Went back to the old version',
}

export const stepText = (s: ReleaseStep): string => texts[s.action]?.(s) ?? s.action
