import { http, HttpResponse, type HttpHandler } from 'msw'
import type { Approval, Environment, Release, Rollback } from '../data/schema'
import { found, list, ok, problem, refused } from './answer'
import { nextId } from './clock'
import { report } from './report'
import { traffic } from './series'
import { record, state } from './state'

const now = () => new Date().toISOString()
const me = () => ({ id: state.user!.id, name: state.user!.name })
const environment = (name: unknown) => state.environments.find((e) => e.name === name)

function setEnvironment(next: Environment) {
  state.environments = state.environments.map((e) => (e.name === next.name ? { ...next, rev: next.rev + 1, changed: now() } : e))
}

function decide(a: Approval, approve: boolean, reason: string): Approval {
  const decisions = [...a.decisions, { actor: me(), approve, reason, time: now() }]
  const enough = decisions.filter((d) => d.approve).length >= a.required
  const status = !approve ? 'Rejected' : enough ? 'Approved' : 'Pending'
  const next: Approval = { ...a, decisions, status, decided: status === 'Pending' ? undefined : now() }
  state.approvals = state.approvals.map((x) => (x.id === a.id ? next : x))
  record('ApprovalDecided', { type: 'approval', id: a.id }, reason)
  if (status === 'Approved') finish(a.release)
  return next
}

function finish(id: string) {
  const r = state.releases.find((x) => x.id === id)
  if (!r) return
  const steps = r.environments.map((env) => ({ time: now(), environment: env, action: 'Finished' as const, weight: 100, detail: `version ${r.version} answers` }))
  state.releases = state.releases.map((x) => (x.id === id ? { ...x, phase: 'Succeeded', environment: r.environments.at(-1), weight: 100, steps, ended: now() } : x))
  for (const name of r.environments) {
    const e = environment(name)!
    const old = e.targets.find((t) => t.weight === 100) ?? e.targets[0]!
    setEnvironment({ ...e, targets: [{ version: r.version, digest: r.digest, endpoint: `assistant-v${r.version}`, weight: 100 }, { ...old, weight: 0 }], live: r.digest, previous: old.digest })
  }
  record('ReleaseSucceeded', { type: 'release', id })
}

function goBack(e: Environment, version: number, reason: string): Rollback {
  const from = e.targets.find((t) => t.weight > 0)!
  const to = e.targets.find((t) => (version ? t.version === version : t.weight === 0)) ?? from
  const hold = { id: nextId('hld'), model: e.model, environment: e.name, digest: from.digest, version: from.version, reason, actor: me(), created: now(), rev: 1 }
  const back: Rollback = { id: nextId('rbk'), model: e.model, environment: e.name, from: { ...from, weight: 0 }, to: { ...to, weight: 100 }, reason, actor: me(), automatic: false, status: 'Done', seconds: 0.8, hold: hold.id, created: now(), ended: now(), rev: 1 }
  state.holds = [hold, ...state.holds]
  state.rollbacks = [back, ...state.rollbacks]
  setEnvironment({ ...e, targets: [{ ...to, weight: 100 }, { ...from, weight: 0 }], live: to.digest, previous: from.digest })
  record('RolledBack', { type: 'rollback', id: back.id }, reason)
  return back
}

export const releaseHandlers: HttpHandler[] = [
  http.get('*/v1/reports/:digest', () => refused() ?? ok(report)),
  http.get('*/v1/approvals', ({ request }) => {
    const status = new URL(request.url).searchParams.get('status')
    return refused() ?? list(state.approvals.filter((a) => !status || a.status === status))
  }),
  http.get('*/v1/approvals/:id', ({ params }) => refused() ?? found(state.approvals.find((a) => a.id === params.id), 'such approval')),
  http.post('*/v1/approvals/:id/decisions', async ({ params, request }) => {
    const a = state.approvals.find((x) => x.id === params.id)
    const body = (await request.json()) as { approve: boolean; reason: string; binding: Approval['binding'] }
    if (a?.requester.id === state.user?.id) return problem(403, 'the requester cannot decide')
    if (!a || a.binding.candidate !== body.binding.candidate) return problem(412, 'what would be released is no longer what you saw')
    return refused('approvals:decide') ?? ok(decide(a, body.approve, body.reason))
  }),
  http.get('*/v1/releases', () => refused() ?? list(state.releases)),
  http.post('*/v1/releases', async ({ request }) => {
    const body = (await request.json()) as { model: string; version: number; environments?: string[]; reason?: string; breakGlass?: boolean }
    const version = state.versions.find((v) => v.number === body.version)
    if (!version) return problem(404, `there is no version ${body.version}`)
    const held = state.holds.find((h) => h.version === body.version && !h.released)
    if (held) return problem(423, `version ${body.version} is held out of ${held.environment}`, 'release the hold first')
    const approval = nextId('apr')
    const r: Release = { id: nextId('rel'), model: body.model, version: body.version, digest: version.digest, environments: body.environments ?? state.environments.map((e) => e.name), requester: me(), reason: body.reason, breakGlass: body.breakGlass ?? false, verdict: version.verdict, report: version.report, approval, phase: 'PendingApproval', weight: 0, steps: [], created: now(), rev: 1 }
    state.releases = [r, ...state.releases]
    state.approvals = [{ ...state.approvals[0]!, id: approval, release: r.id, version: r.version, requester: me(), breakGlass: r.breakGlass, required: r.breakGlass ? 2 : 1, decisions: [], status: 'Pending', created: now() }, ...state.approvals]
    record('ReleaseRequested', { type: 'release', id: r.id }, body.reason)
    return refused('deployments:write') ?? ok(r, 202)
  }),
  http.get('*/v1/releases/:id', ({ params }) => refused() ?? found(state.releases.find((r) => r.id === params.id), 'such release')),
  http.post('*/v1/releases/:id/abort', ({ params }) => {
    state.releases = state.releases.map((r) => (r.id === params.id ? { ...r, phase: 'Failed', error: 'aborted', ended: now() } : r))
    record('ReleaseAborted', { type: 'release', id: String(params.id) })
    return found(state.releases.find((r) => r.id === params.id), 'such release')
  }),
  http.get('*/v1/models/:m/environments', ({ params }) => refused() ?? list(state.environments.filter((e) => e.model === params.m))),
  http.get('*/v1/models/:m/environments/:e/rollbacks', ({ params }) => list(state.rollbacks.filter((r) => r.environment === params.e))),
  http.post('*/v1/models/:m/environments/:e/rollbacks', async ({ params, request }) => {
    const { version, reason } = (await request.json()) as { version?: number; reason: string }
    const e = environment(params.e)
    return refused('rollback:write') ?? (e ? ok(goBack(e, version ?? 0, reason), 202) : problem(404, 'there is no such environment'))
  }),
  http.get('*/v1/models/:m/environments/:e/holds', ({ params }) => list(state.holds.filter((h) => h.environment === params.e))),
  http.post('*/v1/models/:m/environments/:e/holds', async ({ params, request }) => {
    const body = (await request.json()) as { version: number; reason: string }
    const hold = { id: nextId('hld'), model: String(params.m), environment: String(params.e), digest: state.versions.find((v) => v.number === body.version)?.digest ?? '', ...body, actor: me(), created: now(), rev: 1 }
    state.holds = [hold, ...state.holds]
    return ok(hold, 201)
  }),
  http.delete('*/v1/models/:m/environments/:e/holds/:h', ({ params }) => {
    state.holds = state.holds.map((h) => (h.id === params.h ? { ...h, released: now() } : h))
    record('HoldReleased', { type: 'hold', id: String(params.h) })
    return new HttpResponse(null, { status: 204 })
  }),
  http.put('*/v1/models/:m/environments/:e/strategy', async ({ params, request }) => {
    setEnvironment({ ...environment(params.e)!, strategy: (await request.json()) as Environment['strategy'] })
    return ok(environment(params.e)!)
  }),
  http.get('*/v1/models/:m/environments/:e/metrics', ({ params, request }) => {
    const minutes = Number(new URL(request.url).searchParams.get('minutes') ?? 60)
    return refused() ?? ok({ items: params.e === 'development' ? [] : traffic(minutes, params.e === 'staging'), minutes })
  }),
  http.get('*/v1/models/:m/environments/:e/captures', () => list(state.captures)),
  http.get('*/v1/rollbacks/:id', ({ params }) => found(state.rollbacks.find((r) => r.id === params.id), 'such rollback')),
]
