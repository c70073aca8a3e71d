import { prefix } from './base'

/** Every address of the app, in one place. All are absolute below the prefix, so that they are real links. */
const at = (...parts: (string | number)[]): string => prefix + parts.map((p) => encodeURIComponent(p)).join('/')

/** Adds the search parameters that are set. */
export function withSearch(path: string, search: Record<string, string | number | undefined>): string {
  const query = new URLSearchParams()
  for (const [key, value] of Object.entries(search)) {
    if (value !== undefined && value !== '') query.set(key, String(value))
  }
  const text = query.toString()
  return text ? `${path}?${text}` : path
}

export const paths = {
  home: () => prefix,
  signIn: (next?: string) => withSearch(at('sign-in'), { next }),
  data: () => at('data'),
  dataset: (id: string, tab?: string) => withSearch(at('data', id), { tab }),
  datasetVersion: (id: string, number: number) => at('data', id, 'versions', number),
  datasetDiff: (id: string, base: number, other: number) => withSearch(at('data', id, 'diff'), { base, other }),
  ingestion: (id: string) => at('ingestions', id),
  models: () => at('models'),
  model: (id: string, tab?: string) => withSearch(at('models', id), { tab }),
  modelVersion: (id: string, number: number) => at('models', id, 'versions', number),
  runs: (search: { model?: string; status?: string } = {}) => withSearch(at('runs'), search),
  run: (id: string, tab?: string) => withSearch(at('runs', id), { tab }),
  lineage: (node?: string, direction?: string) => withSearch(at('lineage'), { node, direction }),
  benchmarks: () => at('benchmarks'),
  benchmark: (name: string) => at('benchmarks', name),
  deployment: (model?: string, search: { rollback?: string } = {}) => withSearch(at('deployment'), { model, ...search }),
  releases: (model?: string) => withSearch(at('releases'), { model }),
  release: (id: string) => at('releases', id),
  approvals: (status?: string) => withSearch(at('approvals'), { status }),
  approval: (id: string) => at('approvals', id),
  monitoring: (search: { model?: string; env?: string; minutes?: number } = {}) => withSearch(at('monitoring'), search),
  settings: (tab?: string) => withSearch(at('settings'), { tab }),
}

type Opener = (id: string) => string

/** "dataset@3" and "model@3" name numbered versions. */
function numbered(make: (id: string, number: number) => string): Opener {
  return (id) => {
    const cut = id.lastIndexOf('@')
    return make(id.slice(0, cut), Number(id.slice(cut + 1)))
  }
}

const openers: Record<string, Opener> = {
  dataset: (id) => paths.dataset(id),
  datasetversion: numbered(paths.datasetVersion),
  ingestion: paths.ingestion,
  model: (id) => paths.model(id),
  modelversion: numbered(paths.modelVersion),
  run: (id) => paths.run(id),
  release: paths.release,
  deployment: (id) => (id.startsWith('rel_') ? paths.release(id) : paths.deployment()),
  approval: paths.approval,
  environment: (id) => paths.deployment(id.includes('/') ? id.split('/')[0] : undefined),
  rollback: () => paths.deployment(),
  hold: () => paths.deployment(),
  benchmark: paths.benchmark,
  user: () => paths.settings('users'),
  key: () => paths.settings('keys'),
  trigger: (id) => paths.model(id, 'trigger'),
}

/** Where to read about the subject of an event or a node of the lineage; undefined when there is no page for it. */
export function openSubject(subject: { type: string; id: string } | undefined): string | undefined {
  if (!subject) return undefined
  const type = subject.type.toLowerCase()
  if (type.endsWith('version') && !subject.id.includes('@')) return undefined
  return openers[type]?.(subject.id)
}
