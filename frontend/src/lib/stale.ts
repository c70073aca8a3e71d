/** First parts of the query keys that an event about a subject makes stale. */
const about: Record<string, string[]> = {
  dataset: ['datasets'],
  datasetversion: ['datasets', 'models', 'lineage', 'ingestions'],
  ingestion: ['ingestions', 'datasets'],
  upload: ['ingestions'],
  object: ['ingestions'],
  model: ['models', 'environments'],
  modelversion: ['models', 'runs', 'lineage'],
  version: ['models', 'runs', 'lineage'],
  alias: ['models'],
  trigger: ['models'],
  run: ['runs', 'models', 'lineage'],
  release: ['releases', 'environments', 'approvals', 'models', 'lineage', 'runs', 'traffic'],
  approval: ['approvals', 'releases'],
  environment: ['environments', 'releases', 'lineage', 'traffic'],
  rollback: ['rollbacks', 'environments', 'releases', 'lineage'],
  hold: ['environments', 'releases'],
  benchmark: ['benchmarks'],
  user: ['users', 'me'],
  key: ['keys'],
  session: [],
}

/** What to fetch again after events: null means everything, for subjects that this version does not know. */
export function staleAfter(types: Iterable<string>): Set<string> | null {
  const out = new Set(['overview', 'audit'])
  for (const type of types) {
    const known = about[type.toLowerCase()]
    if (!known) return null
    known.forEach((k) => out.add(k))
  }
  return out
}
