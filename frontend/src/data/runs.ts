import { queryOptions } from '@tanstack/react-query'
import { api, call, once } from './client'
import type { Run, RunStatus } from './schema'

const finals: RunStatus[] = ['Judged', 'Failed', 'Cancelled']

/** Whether nothing more will happen to the run. */
export const isFinal = (run: Pick<Run, 'status'> | undefined): boolean => !!run && finals.includes(run.status)

const live = 1500 // milliseconds between looks at a run that goes on; steps, curves and logs make no events

export const runs = {
  list: (filter: { model?: string; status?: RunStatus } = {}) => queryOptions({
    queryKey: ['runs', filter],
    queryFn: () => call(api.GET('/v1/runs', { params: { query: { ...filter, limit: 50 } } })),
  }),
  one: (run: string) => queryOptions({
    queryKey: ['runs', run],
    queryFn: () => call(api.GET('/v1/runs/{run}', { params: { path: { run } } })),
    refetchInterval: (q) => (q.state.data && !isFinal(q.state.data) ? 3000 : false),
  }),
  steps: (run: string, final: boolean) => queryOptions({
    queryKey: ['runs', run, 'steps'],
    queryFn: () => call(api.GET('/v1/runs/{run}/steps', { params: { path: { run } } })),
    refetchInterval: final ? false : live,
  }),
  metrics: (run: string, final: boolean) => queryOptions({
    queryKey: ['runs', run, 'metrics'],
    queryFn: () => call(api.GET('/v1/runs/{run}/metrics', { params: { path: { run } } })),
    refetchInterval: final ? false : live,
  }),
}

export const runLogs = (run: string, after: number) =>
  call(api.GET('/v1/runs/{run}/logs', { params: { path: { run }, query: { after } } }))

export const startRun = (body: { model: string; preset?: string; reason?: string; seed?: number }, key: string) =>
  call(api.POST('/v1/runs', { params: { header: once(key) }, body }))

export const cancelRun = (run: string, reason: string) =>
  call(api.POST('/v1/runs/{run}/cancel', { params: { path: { run } }, body: { reason } }))

export const retryRun = (run: string, key: string) =>
  call(api.POST('/v1/runs/{run}/retry', { params: { path: { run }, header: once(key) } }))
