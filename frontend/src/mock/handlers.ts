import { http, HttpResponse, type HttpHandler } from 'msw'
import { dataHandlers } from './handlers-data'
import { releaseHandlers } from './handlers-release'
import { runHandlers } from './handlers-runs'
import { uploadHandlers } from './handlers-upload'
import { found, list, ok, problem, refused } from './answer'
import { before, soon } from './clock'
import { meOf } from './people'
import { items, state } from './state'

const sessionHandlers: HttpHandler[] = [
  http.get('*/v1/config', () => ok({ mode: 'local', realtime: 'poll', version: '1.0.0', pollAfterMs: 2000, partBytes: 8 << 20 })),
  http.get('*/v1/me', () => (state.user ? ok(meOf(state.user)) : problem(401, 'nobody is signed in'))),
  http.post('*/v1/session', async ({ request }) => {
    const { user, password } = (await request.json()) as { user: string; password: string }
    const who = state.people.find((p) => p.name === user && !p.disabled)
    if (!who || password !== user) return problem(401, 'user or password is wrong')
    state.user = who
    return ok(meOf(who))
  }),
  http.delete('*/v1/session', () => {
    state.user = undefined
    return new HttpResponse(null, { status: 204 })
  }),
  http.put('*/v1/me/password', () => {
    if (state.user) state.user = { ...state.user, mustChange: false }
    return new HttpResponse(null, { status: 204 })
  }),
]

const identityHandlers: HttpHandler[] = [
  http.get('*/v1/users', () => refused('settings:read') ?? list(state.people)),
  http.post('*/v1/users', async ({ request }) => {
    const body = (await request.json()) as { login: string; roles: [] }
    const user = { ...body, name: body.login, id: `usr_${body.login}`, disabled: false, mustChange: true, created: new Date().toISOString(), rev: 1 }
    state.people = [...state.people, user]
    return refused('users:write') ?? ok({ user, oneTimePassword: 'orbit-maple-seven' }, 201)
  }),
  http.put('*/v1/users/:id/roles', async ({ params, request }) => {
    const { roles } = (await request.json()) as { roles: [] }
    state.people = state.people.map((p) => (p.id === params.id ? { ...p, roles } : p))
    return found(state.people.find((p) => p.id === params.id), 'such user')
  }),
  http.post('*/v1/users/:id/disable', ({ params }) => {
    state.people = state.people.map((p) => (p.id === params.id ? { ...p, disabled: true } : p))
    return found(state.people.find((p) => p.id === params.id), 'such user')
  }),
  http.post('*/v1/users/:id/enable', ({ params }) => {
    state.people = state.people.map((p) => (p.id === params.id ? { ...p, disabled: false } : p))
    return found(state.people.find((p) => p.id === params.id), 'such user')
  }),
  http.post('*/v1/users/:id/password', ({ params }) => {
    const user = state.people.find((p) => p.id === params.id)
    return refused('users:write') ?? (user ? ok({ oneTimePassword: 'willow-copper-nine' }) : problem(404, 'there is no such user'))
  }),
  http.get('*/v1/keys', () => refused('settings:read') ?? list(state.keys)),
  http.post('*/v1/keys', async ({ request }) => {
    const { name, scopes } = (await request.json()) as { name: string; scopes: [] }
    const key = { id: `key_${state.keys.length + 1}`, name, scopes, environments: [], rev: 1, owner: { id: state.user!.id, name: state.user!.name }, created: new Date().toISOString(), revoked: false }
    state.keys = [...state.keys, key]
    return ok({ key, token: 'pk_live_only_shown_once_0123456789' }, 201)
  }),
  http.delete('*/v1/keys/:id', ({ params }) => {
    state.keys = state.keys.map((k) => (k.id === params.id ? { ...k, revoked: true } : k))
    return new HttpResponse(null, { status: 204 })
  }),
]

function stages() {
  const open = <T extends { id: string }>(type: string, found: T | undefined) => found && { type, id: found.id }
  const waiting = state.approvals.filter((a) => a.status === 'Pending')
  const held = state.ingestions.filter((i) => i.status === 'Quarantined')
  const run = state.runs.find((r) => r.status === 'Training')
  const release = state.releases.find((r) => r.phase === 'Progressing')
  return [
    { name: 'data', health: held.length ? 'attention' : 'ok', summary: held.length ? '1 file waits in quarantine' : 'all arrivals are published', subject: open('ingestion', held[0]), since: before(18) },
    { name: 'training', health: run ? 'active' : 'idle', summary: run ? 'version 16 is learning from support@4' : 'no run', subject: open('run', run), since: before(2) },
    { name: 'evaluation', health: 'ok', summary: 'last verdict: PASS', since: before(54) },
    { name: 'approval', health: waiting.length ? 'attention' : 'ok', summary: `${waiting.length} decisions wait`, subject: open('approval', waiting[0]), since: before(53) },
    { name: 'release', health: release ? 'active' : 'idle', summary: release ? 'version 15 takes 50% of staging' : 'nothing moves', subject: open('release', release), since: before(6) },
    { name: 'serving', health: 'ok', summary: '2,410 requests in the last hour, 0.2% errors', since: before(1500) },
  ]
}

function overview() {
  const mine = state.approvals.filter((a) => a.status === 'Pending' && a.requester.id !== state.user?.id && meOf(state.user!).permissions.includes('approvals:decide'))
  return {
    stages: stages(),
    next: [
      { what: 'Release of version 15 goes on to 100% of staging', model: 'assistant', kind: 'release' },
      { what: 'Weekly training', model: 'assistant', at: soon(60 * 31), kind: 'trigger' },
    ],
    needsMe: [
      ...mine.map((a) => ({ kind: 'approval', title: `Version ${a.version} waits for a decision`, subject: { type: 'approval', id: a.id }, since: a.created })),
      ...state.ingestions.filter((i) => i.status === 'Quarantined').map((i) => ({ kind: 'ingestion', title: `${i.name}: ${i.counts.rejected} of ${i.counts.rows} rows were rejected`, subject: { type: 'ingestion', id: i.id }, since: i.created })),
    ],
    models: state.models.map((m) => ({
      model: m.id, name: m.name, champion: 13, run: state.runs.find((r) => r.status === 'Training'),
      environments: state.environments.map((e, i) => ({ name: e.name, version: e.targets.find((t) => t.weight > 0)?.version, digest: e.live, release: e.release, requests: [0, 120, 2410][i]!, errors: [0, 1, 5][i]!, latencyMs: [0, 560, 541][i]!, holds: 0, changed: e.changed })),
    })),
    recent: [...state.events].reverse().slice(0, 20),
  }
}

const observeHandlers: HttpHandler[] = [
  http.get('*/v1/overview', () => refused() ?? ok(overview())),
  http.get('*/v1/events', ({ request }) => {
    const after = Number(new URL(request.url).searchParams.get('after'))
    const fresh = state.events.filter((e) => e.seq > after)
    return refused() ?? ok({ items: fresh, next: fresh.at(-1)?.seq ?? after, pollAfterMs: 2000 })
  }),
  http.get('*/v1/audit/verify', () => refused('audit:read') ?? ok({ ok: true, checked: state.events.length, head: { seq: state.events.length, hash: 'c0ffee'.repeat(10) }, anchored: false, problems: [] })),
  http.get('*/v1/dead-letters', () => refused('audit:read') ?? list(state.deadLetters)),
  http.post('*/v1/dead-letters/:seq/replay', ({ params }) => {
    const no = refused('settings:write')
    if (!no) state.deadLetters = state.deadLetters.filter((d) => d.event.seq !== Number(params.seq))
    return no ?? new HttpResponse(null, { status: 204 })
  }),
  http.get('*/v1/audit', () => {
    const all = [...state.events].reverse().map((e) => ({ ...e, id: `aud_${e.seq}`, action: e.type, event: 'e'.repeat(64), hash: `${e.seq}`.padStart(64, 'a'), before: { phase: 'PendingApproval' }, after: { phase: 'Progressing' } }))
    return refused('audit:read') ?? ok({ items: all })
  }),
]

const benchmarkHandlers: HttpHandler[] = [
  http.get('*/v1/benchmarks', () => refused() ?? list(state.benchmarks)),
  http.get('*/v1/benchmarks/:name', ({ params }) => {
    const benchmark = state.benchmarks.find((b) => b.benchmark === params.name)
    return refused() ?? found(benchmark && { benchmark, items }, `benchmark ${String(params.name)}`)
  }),
]

export const handlers: HttpHandler[] = [
  ...sessionHandlers, ...identityHandlers, ...observeHandlers, ...benchmarkHandlers, ...dataHandlers, ...uploadHandlers, ...runHandlers, ...releaseHandlers,
]

