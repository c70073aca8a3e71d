import type { Environment } from '../data/schema'

/** Whether one could go back after a release: what would serve again, and whether it is warm now. */
export function readiness(all: Environment[] | undefined, name: string, version: number): { ok: boolean; text: string } {
  const environment = all?.find((e) => e.name === name) ?? all?.at(-1)
  if (!environment) return { ok: false, text: 'not known' }
  const now = environment.targets.find((t) => t.weight > 0 && t.version !== version)
  if (now) return { ok: true, text: `version ${now.version} serves ${environment.name} now and is kept warm` }
  const warm = environment.targets.find((t) => t.version !== version)
  if (warm) return { ok: true, text: `version ${warm.version} is warm in ${environment.name}` }
  return { ok: false, text: `nothing to go back to in ${environment.name}: this is the first version there` }
}
