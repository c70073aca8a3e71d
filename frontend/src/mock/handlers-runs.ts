import { http, type HttpHandler } from 'msw'
import type { Model, ModelVersion, Run, Trigger } from '../data/schema'
import { found, list, ok, problem, refused } from './answer'
import { digestOf, nextId } from './clock'
import { logLines, metrics, steps } from './series'
import { record, state } from './state'

const now = () => new Date().toISOString()
const one = (id: unknown) => state.runs.find((r) => r.id === id)

function begin(over: Partial<Run>): Run {
  const run: Run = { ...state.runs[0]!, id: nextId('run'), status: 'Queued', trigger: 'Manual', created: now(), started: now(), ended: undefined, actor: { id: state.user!.id, name: state.user!.name }, rev: 1, ...over }
  state.runs = [run, ...state.runs]
  record('RunStarted', { type: 'run', id: run.id }, run.reason)
  return run
}

const graph = {
  nodes: [
    { type: 'object', id: 'incoming/support-2026-06b.csv' }, { type: 'ingestion', id: 'ing_04' }, { type: 'shard', id: '9b1c4e0d7a55' }, { type: 'datasetVersion', id: 'support@4' },
    { type: 'run', id: 'run_01jv14' }, { type: 'modelVersion', id: 'assistant@13' }, { type: 'modelVersion', id: 'assistant@14' }, { type: 'release', id: 'rel_01jz000014' },
    { type: 'environment', id: 'assistant/production', label: 'production', share: 100 },
  ],
  edges: [
    ['object:incoming/support-2026-06b.csv', 'ingestion:ing_04'], ['ingestion:ing_04', 'shard:9b1c4e0d7a55'], ['shard:9b1c4e0d7a55', 'datasetVersion:support@4'], ['datasetVersion:support@4', 'run:run_01jv14'],
    ['modelVersion:assistant@13', 'run:run_01jv14'], ['run:run_01jv14', 'modelVersion:assistant@14'], ['modelVersion:assistant@14', 'release:rel_01jz000014'], ['release:rel_01jz000014', 'environment:assistant/production'],
  ].map(([from, to]) => ({ from, to })),
  truncated: false,
}

export const runHandlers: HttpHandler[] = [
  http.get('*/v1/models', () => refused() ?? list(state.models)),
  http.post('*/v1/models', async ({ request }) => {
    const body = (await request.json()) as Model
    const model: Model = { ...body, name: body.name ?? body.id, benchmarks: body.benchmarks ?? [], preset: body.preset ?? 'safe', canned: [], created: now(), rev: 1 }
    state.models = [...state.models, model]
    return ok(model, 201)
  }),
  http.get('*/v1/models/:m', ({ params }) => found(state.models.find((m) => m.id === params.m), `model ${String(params.m)}`)),
  http.patch('*/v1/models/:m', async ({ params, request }) => {
    const change = (await request.json()) as Partial<Model>
    state.models = state.models.map((m) => (m.id === params.m ? { ...m, ...change, rev: m.rev + 1 } : m))
    return refused('models:write') ?? found(state.models.find((m) => m.id === params.m), `model ${String(params.m)}`)
  }),
  http.post('*/v1/models/:m/versions', ({ params }) => {
    const number = Math.max(0, ...state.versions.map((v) => v.number)) + 1
    const version: ModelVersion = { ...state.versions.at(-1)!, model: String(params.m), number, digest: digestOf(`v${number}`), origin: 'Imported', aliases: [], created: now(), rev: 1 }
    state.versions = [version, ...state.versions]
    record('ModelVersionRegistered', { type: 'modelVersion', id: `${version.model}@${number}` })
    return refused('models:write') ?? ok(version, 201)
  }),
  http.get('*/v1/models/:m/versions', ({ params }) => list(state.versions.filter((v) => v.model === params.m))),
  http.get('*/v1/models/:m/versions/:n', ({ params }) => found(state.versions.find((v) => v.model === params.m && v.number === Number(params.n)), 'such version')),
  http.put('*/v1/models/:m/aliases/:alias', async ({ params, request }) => {
    const { version } = (await request.json()) as { version: number }
    const alias = String(params.alias)
    state.versions = state.versions.map((v) => ({ ...v, aliases: [...v.aliases.filter((a) => a !== alias), ...(v.number === version ? [alias] : [])] }))
    return ok(state.models[0]!)
  }),
  http.get('*/v1/models/:m/trigger', () => ok(state.trigger)),
  http.put('*/v1/models/:m/trigger', async ({ request }) => {
    if (request.headers.get('If-Match') !== `"${state.trigger.rev}"`) return problem(412, 'the trigger was changed meanwhile')
    state.trigger = { ...state.trigger, ...((await request.json()) as Trigger), rev: state.trigger.rev + 1 }
    return ok(state.trigger)
  }),
  http.get('*/v1/lineage', ({ request }) => {
    const node = new URL(request.url).searchParams.get('node') ?? ''
    return graph.nodes.some((n) => `${n.type}:${n.id}` === node) || node === 'modelVersion:assistant@15' ? ok(graph) : ok({ nodes: [{ type: node.split(':')[0], id: node.split(':')[1] }], edges: [], truncated: false })
  }),
  http.get('*/v1/runs', ({ request }) => {
    const q = new URL(request.url).searchParams
    return refused() ?? list(state.runs.filter((r) => (!q.get('model') || r.model === q.get('model')) && (!q.get('status') || r.status === q.get('status'))))
  }),
  http.post('*/v1/runs', async ({ request }) => {
    if (!request.headers.get('Idempotency-Key')) return problem(428, 'an Idempotency-Key is needed')
    return refused('runs:write') ?? ok(begin((await request.json()) as Partial<Run>), 202)
  }),
  http.get('*/v1/runs/:id', ({ params }) => refused() ?? found(one(params.id), `run ${String(params.id)}`)),
  http.get('*/v1/runs/:id/steps', ({ params }) => list(steps(one(params.id)!))),
  http.get('*/v1/runs/:id/metrics', ({ params }) => list(metrics(one(params.id)!))),
  http.get('*/v1/runs/:id/logs', ({ params, request }) => {
    const run = one(params.id)!
    const after = Number(new URL(request.url).searchParams.get('after'))
    const lines = logLines(run)
    return ok({ lines: lines.slice(after), next: lines.length, done: run.status !== 'Training' })
  }),
  http.post('*/v1/runs/:id/cancel', ({ params }) => {
    state.runs = state.runs.map((r) => (r.id === params.id ? { ...r, status: 'Cancelled', ended: now() } : r))
    record('RunCancelled', { type: 'run', id: String(params.id) })
    return found(one(params.id), 'such run')
  }),
  http.post('*/v1/runs/:id/retry', ({ params }) => ok(begin({ ...one(params.id)!, id: nextId('run'), status: 'Queued', error: undefined }), 202)),
]
