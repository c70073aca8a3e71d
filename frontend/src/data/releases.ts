import { queryOptions } from '@tanstack/react-query'
import { api, apiUrl, call, ifMatch, once } from './client'
import type { Approval, ApprovalStatus, Environment, Release, Rollback, Strategy } from './schema'

export const inProgress = (r: Pick<Release, 'phase'> | undefined): boolean =>
  r?.phase === 'PendingApproval' || r?.phase === 'Progressing'

export const rollingBack = (r: Pick<Rollback, 'status'> | undefined): boolean =>
  r?.status === 'Shifting' || r?.status === 'Verifying'

export const releases = {
  list: (model?: string) => queryOptions({
    queryKey: ['releases', { model }],
    queryFn: () => call(api.GET('/v1/releases', { params: { query: { model, limit: 50 } } })),
  }),
  one: (release: string) => queryOptions({
    queryKey: ['releases', release],
    queryFn: () => call(api.GET('/v1/releases/{release}', { params: { path: { release } } })),
    refetchInterval: (q) => (inProgress(q.state.data) ? 2000 : false),
  }),
  rollback: (rollback: string) => queryOptions({
    queryKey: ['rollbacks', rollback],
    queryFn: () => call(api.GET('/v1/rollbacks/{rollback}', { params: { path: { rollback } } })),
    refetchInterval: (q) => (!q.state.data || rollingBack(q.state.data) ? 500 : false),
  }),
}

export const environments = {
  list: (model: string) => queryOptions({
    queryKey: ['environments', model],
    queryFn: () => call(api.GET('/v1/models/{model}/environments', { params: { path: { model } } })),
  }),
  rollbacks: (model: string, environment: string) => queryOptions({
    queryKey: ['environments', model, environment, 'rollbacks'],
    queryFn: () => call(api.GET('/v1/models/{model}/environments/{environment}/rollbacks', { params: { path: { model, environment } } })),
  }),
  holds: (model: string, environment: string) => queryOptions({
    queryKey: ['environments', model, environment, 'holds'],
    queryFn: () => call(api.GET('/v1/models/{model}/environments/{environment}/holds', { params: { path: { model, environment } } })),
  }),
}

export const approvals = {
  list: (status?: ApprovalStatus) => queryOptions({
    queryKey: ['approvals', { status }],
    queryFn: () => call(api.GET('/v1/approvals', { params: { query: { status } } })),
  }),
  one: (approval: string) => queryOptions({
    queryKey: ['approvals', approval],
    queryFn: () => call(api.GET('/v1/approvals/{approval}', { params: { path: { approval } } })),
  }),
  report: (digest: string) => queryOptions({
    queryKey: ['reports', digest],
    queryFn: () => call(api.GET('/v1/reports/{digest}', { params: { path: { digest } } })),
    staleTime: Infinity, // its name is its content
  }),
}

export const reportPage = (digest: string) => apiUrl(`v1/reports/${encodeURIComponent(digest)}/html`)

export const decide = (a: Approval, approve: boolean, reason: string) =>
  call(api.POST('/v1/approvals/{approval}/decisions', {
    params: { path: { approval: a.id } }, body: { approve, reason, binding: a.binding },
  }))

interface ReleaseInput {
  model: string
  version: number
  environments?: string[]
  reason?: string
  breakGlass?: boolean
}

export const requestRelease = (body: ReleaseInput, key: string) =>
  call(api.POST('/v1/releases', { params: { header: once(key) }, body }))

export const abortRelease = (release: string, reason: string) =>
  call(api.POST('/v1/releases/{release}/abort', { params: { path: { release } }, body: { reason } }))

export const rollBack = (e: Environment, version: number, reason: string, key: string) =>
  call(api.POST('/v1/models/{model}/environments/{environment}/rollbacks', {
    params: { path: { model: e.model, environment: e.name }, header: once(key) }, body: { version, reason },
  }))

export const addHold = (e: Environment, version: number, reason: string) =>
  call(api.POST('/v1/models/{model}/environments/{environment}/holds', {
    params: { path: { model: e.model, environment: e.name } }, body: { version, reason },
  }))

export const releaseHold = (model: string, environment: string, hold: string, reason: string) =>
  call(api.DELETE('/v1/models/{model}/environments/{environment}/holds/{hold}', {
    params: { path: { model, environment, hold }, query: { reason } },
  }))

export const setStrategy = (e: Environment, body: Strategy) =>
  call(api.PUT('/v1/models/{model}/environments/{environment}/strategy', {
    params: { path: { model: e.model, environment: e.name }, header: ifMatch(e.rev) }, body,
  }))
