// Every page of the app, with real ids where a page needs one.

/** Asks the API, in the page and with its session, for ids to visit. */
async function ids(page) {
  return page.evaluate(async () => {
    const get = async (path) => {
      const answer = await fetch(new URL(`v1/${path}`, document.baseURI))
      return answer.ok ? answer.json() : { items: [] }
    }
    const first = async (path, pick) => (await get(path)).items?.map(pick)[0]
    const model = await first('models', (m) => m.id)
    const dataset = (await get('datasets')).items.sort((a, b) => b.latest - a.latest).find((d) => d.latest > 0)?.id
    const approvals = (await get('approvals')).items
    return {
      model, dataset,
      version: model && (await first(`models/${model}/versions`, (v) => v.number)),
      ingestions: (await get('ingestions')).items.map((i) => [i.status, i.id]),
      datasetVersion: dataset && (await first(`datasets/${dataset}/versions`, (v) => v.number)),
      runs: (await get('runs')).items.map((r) => [r.status, r.id]),
      releases: (await get('releases')).items.map((r) => [r.phase, r.id]),
      approvals: approvals.map((a) => [a.breakGlass ? 'break-glass' : a.status, a.id]),
      benchmark: await first('benchmarks', (b) => b.benchmark),
    }
  })
}

/** The newest of each kind: the page looks different for each. */
const kinds = (list, name, path) => [...new Map((list ?? []).toReversed())].map(([kind, id]) => [`${name}-${kind.toLowerCase()}`, `${path}/${id}`])
const when = (has, ...list) => (has ? list : [])

export async function routes(page) {
  const i = await ids(page)
  return [
    ['home', ''], ['data', 'data'], ['models', 'models'], ['runs', 'runs'], ['lineage', 'lineage'], ['benchmarks', 'benchmarks'],
    ['deployment', 'deployment'], ['deployment-rollback', 'deployment?rollback=production'], ['releases', 'releases'], ['approvals', 'approvals'], ['monitoring', 'monitoring'],
    ...['users', 'keys', 'audit', 'dead-letters', 'account'].map((tab) => [`settings-${tab}`, `settings?tab=${tab}`]),
    ...when(i.dataset, ['dataset', `data/${i.dataset}`], ['dataset-version', `data/${i.dataset}/versions/${i.datasetVersion}`],
      ['dataset-diff', `data/${i.dataset}/diff?base=${i.datasetVersion - 1}&other=${i.datasetVersion}`], ['dataset-arrivals', `data/${i.dataset}?tab=arrivals`]),
    ...when(i.model, ['model', `models/${i.model}`], ['model-trigger', `models/${i.model}?tab=trigger`]),
    ...when(i.version, ['model-version', `models/${i.model}/versions/${i.version}`], ['lineage-graph', `lineage?node=modelVersion:${i.model}@${i.version}`]),
    ...kinds(i.ingestions, 'ingestion', 'ingestions'), ...kinds(i.runs, 'run', 'runs'), ...kinds(i.releases, 'release', 'releases'),
    ...kinds(i.approvals, 'approval', 'approvals'), ...when(i.benchmark, ['benchmark', `benchmarks/${i.benchmark}`]), ['missing', 'no/such/page'],
  ]
}
