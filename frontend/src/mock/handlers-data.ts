import { http, HttpResponse, type HttpHandler } from 'msw'
import type { Ingestion } from '../data/schema'
import { found, list, ok, problem, refused } from './answer'
import { nextId } from './clock'
import { record, state } from './state'

const now = () => new Date().toISOString()
const one = (id: unknown) => state.ingestions.find((i) => i.id === id)
const replace = (next: Ingestion) => (state.ingestions = state.ingestions.map((i) => (i.id === next.id ? next : i)))

function publish(i: Ingestion, reason?: string): Ingestion {
  const dataset = state.datasets.find((d) => d.id === i.dataset)!
  const number = dataset.latest + 1
  const rows = dataset.rows + i.counts.accepted
  state.datasets = state.datasets.map((d) => (d.id === i.dataset ? { ...d, latest: number, rows } : d))
  const template = state.datasetVersions[0]!
  state.datasetVersions = [{ ...template, dataset: i.dataset, number, parent: number - 1, rows, added: i.counts.accepted, created: now(), ingestion: i.id }, ...state.datasetVersions]
  const next: Ingestion = {
    ...i, status: 'Published', datasetVersion: number, ended: now(), rev: i.rev + 1,
    steps: [...i.steps.map((s) => ({ ...s, ended: s.ended ?? now() })), { name: 'Publish', started: now(), ended: now(), detail: `version ${number}` }],
  }
  replace(next)
  record('DatasetVersionPublished', { type: 'datasetVersion', id: `${i.dataset}@${number}` }, reason)
  return next
}

/** Takes a file and checks it, as far as JSON goes. */
export function receive(dataset: string, name: string, text: string): Ingestion {
  const lines = text.split('\n').filter(Boolean)
  const bad = lines.map((l, i) => [l, i + 1] as const).filter(([l]) => !l.startsWith('{') && name.endsWith('.jsonl'))
  const i: Ingestion = {
    id: nextId('ing'), dataset, name, object: { key: `incoming/${dataset}/${name}`, version: '1', size: text.length }, format: name.endsWith('.csv') ? 'csv' : 'jsonl', status: 'Quarantined', rejects: bad.length > 0 ? 'rejects' : undefined, warnings: [], masks: {}, attempt: 1,
    counts: { rows: lines.length, accepted: lines.length - bad.length, rejected: bad.length, duplicates: 0, masked: 0, overlaps: 0 },
    errors: bad.length ? [{ rule: 'json.syntax', title: 'The line is not JSON', hint: 'Write one JSON object a line', count: bad.length, examples: bad.slice(0, 5).map(([found, line]) => ({ line, expected: 'a JSON object', found })) }] : [],
    steps: [{ name: 'Receive', started: now(), ended: now() }, { name: 'Check', started: now(), ended: now() }],
    actor: { id: state.user!.id, name: state.user!.name }, created: now(), rev: 1,
  }
  state.ingestions = [i, ...state.ingestions]
  record('IngestionReceived', { type: 'ingestion', id: i.id })
  return bad.length ? i : publish(i)
}

export const dataHandlers: HttpHandler[] = [
  http.get('*/v1/datasets', () => refused() ?? list(state.datasets)),
  http.post('*/v1/datasets', async ({ request }) => {
    const body = (await request.json()) as { id: string; name?: string }
    if (state.datasets.some((d) => d.id === body.id)) return problem(409, `there is already a dataset ${body.id}`)
    const dataset = { latest: 0, rows: 0, created: now(), rev: 1, owner: { id: state.user!.id, name: state.user!.name }, ...body, name: body.name ?? body.id }
    state.datasets = [...state.datasets, dataset]
    record('DatasetCreated', { type: 'dataset', id: body.id })
    return ok(dataset, 201)
  }),
  http.get('*/v1/datasets/:d', ({ params }) => refused() ?? found(state.datasets.find((d) => d.id === params.d), `dataset ${String(params.d)}`)),
  http.get('*/v1/datasets/:d/versions', ({ params }) => list(state.datasetVersions.filter((v) => v.dataset === params.d))),
  http.get('*/v1/datasets/:d/versions/:n', ({ params }) => found(state.datasetVersions.find((v) => v.dataset === params.d && v.number === Number(params.n)), 'such version')),
  http.get('*/v1/datasets/:d/versions/:n/sample', () => ok({ total: 1620, seed: 1, rows: [
    { id: 'r', shard: 'x', body: { messages: [{ role: 'user', content: 'How long is the warranty of a Fjord kettle?' }, { role: 'assistant', content: 'The Fjord kettle has a warranty of 5 years.' }], topic: 'warranty' } },
    { id: 'r', shard: 'x', body: { messages: [{ role: 'user', content: 'My card 4••• •••• •••• 1111 was charged twice.' }, { role: 'assistant', content: 'Send us the receipt and we refund the second charge.' }], topic: 'billing' } },
  ] })),
  http.post('*/v1/datasets/:d/versions/:n/retract', async ({ params, request }) => {
    const { reason } = (await request.json()) as { reason: string }
    state.datasetVersions = state.datasetVersions.map((v) => (v.number === Number(params.n) ? { ...v, status: 'Retracted', reason } : v))
    return ok(state.datasetVersions.find((v) => v.number === Number(params.n))!)
  }),
  http.get('*/v1/datasets/:d/diff', ({ params, request }) => {
    const q = new URL(request.url).searchParams
    const versions = state.datasetVersions
    return ok({
      dataset: params.d, base: Number(q.get('base')), other: Number(q.get('other')), added: 240, removed: 0, unchanged: 1380, shardsAdded: versions[0]!.shards, shardsRemoved: [],
      changed: 3, topics: { refunds: 12 }, examplesAdded: [{ id: 'r1', shard: 'x', body: { messages: [{ role: 'user', content: 'Who signs off a refund above 500 euros?' }, { role: 'assistant', content: 'The shift lead.' }] } }], examplesRemoved: [],
    })
  }),
  http.post('*/v1/datasets/:d/uploads', async ({ params, request }) => {
    const name = new URL(request.url).searchParams.get('name') ?? 'file'
    return refused('data:write') ?? ok(receive(String(params.d), name, await request.text()), 202)
  }),
  http.get('*/v1/ingestions', ({ request }) => {
    const dataset = new URL(request.url).searchParams.get('dataset')
    return refused() ?? list(state.ingestions.filter((i) => !dataset || i.dataset === dataset))
  }),
  http.get('*/v1/ingestions/:id', ({ params }) => found(one(params.id), 'such ingestion')),
  http.get('*/v1/ingestions/:id/rejects', () => new HttpResponse('{"error":"not valid JSON"}\n', { headers: { 'Content-Disposition': 'attachment; filename="rejects.jsonl"' } })),
  http.post('*/v1/ingestions/:id/publish', async ({ params, request }) => {
    const { reason } = (await request.json()) as { reason: string }
    const i = one(params.id)
    return refused('data:write') ?? (i ? ok(publish(i, reason)) : problem(404, 'there is no such ingestion'))
  }),
  http.post('*/v1/ingestions/:id/retry', ({ params }) => {
    const i = one(params.id)
    if (i && i.status !== 'Failed') return problem(409, `the checks of ${i.name} did not fail`)
    return refused('data:write') ?? (i ? ok(publish({ ...i, attempt: i.attempt + 1, error: undefined })) : problem(404, 'there is no such ingestion'))
  }),
  http.post('*/v1/ingestions/:id/discard', ({ params }) => {
    const i = one(params.id)
    if (!i) return problem(404, 'there is no such ingestion')
    const next: Ingestion = { ...i, status: 'Discarded', ended: now() }
    replace(next)
    record('IngestionDiscarded', { type: 'ingestion', id: i.id })
    return ok(next)
  }),
]
