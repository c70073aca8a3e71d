import { queryOptions } from '@tanstack/react-query'
import { api, apiUrl, call, pages } from './client'
import type { Ingestion } from './schema'

const busy = (i: Ingestion | undefined) => i?.status === 'Received' || i?.status === 'Checking'

export const datasets = {
  list: () => queryOptions({ queryKey: ['datasets'], queryFn: () => call(api.GET('/v1/datasets')) }),
  one: (dataset: string) => queryOptions({
    queryKey: ['datasets', dataset],
    queryFn: () => call(api.GET('/v1/datasets/{dataset}', { params: { path: { dataset } } })),
  }),
  versions: (dataset: string) => queryOptions({
    queryKey: ['datasets', dataset, 'versions'],
    queryFn: () => pages((cursor) => call(api.GET('/v1/datasets/{dataset}/versions', { params: { path: { dataset }, query: { cursor } } }))),
  }),
  version: (dataset: string, number: number) => queryOptions({
    queryKey: ['datasets', dataset, 'versions', number],
    queryFn: () => call(api.GET('/v1/datasets/{dataset}/versions/{number}', { params: { path: { dataset, number } } })),
  }),
  sample: (dataset: string, number: number) => queryOptions({
    queryKey: ['datasets', dataset, 'versions', number, 'sample'],
    queryFn: () => call(api.GET('/v1/datasets/{dataset}/versions/{number}/sample', { params: { path: { dataset, number }, query: { rows: 20 } } })),
  }),
  diff: (dataset: string, base: number, other: number) => queryOptions({
    queryKey: ['datasets', dataset, 'diff', base, other],
    queryFn: () => call(api.GET('/v1/datasets/{dataset}/diff', { params: { path: { dataset }, query: { base, other } } })),
  }),
}

export const ingestions = {
  list: (dataset?: string) => queryOptions({
    queryKey: ['ingestions', { dataset }],
    queryFn: () => call(api.GET('/v1/ingestions', { params: { query: { dataset, limit: 50 } } })),
  }),
  one: (ingestion: string) => queryOptions({
    queryKey: ['ingestions', ingestion],
    queryFn: () => call(api.GET('/v1/ingestions/{ingestion}', { params: { path: { ingestion } } })),
    refetchInterval: (q) => (busy(q.state.data) ? 1000 : false),
  }),
}

export const createDataset = (body: { id: string; name?: string; description?: string; licence?: string; consent?: string }) =>
  call(api.POST('/v1/datasets', { body }))

export const retractVersion = (dataset: string, number: number, reason: string) =>
  call(api.POST('/v1/datasets/{dataset}/versions/{number}/retract', { params: { path: { dataset, number } }, body: { reason } }))

export const publishIngestion = (ingestion: string, reason: string) =>
  call(api.POST('/v1/ingestions/{ingestion}/publish', { params: { path: { ingestion } }, body: { reason } }))

/** Checks the same file again, after a fault that was not the file's. */
export const retryIngestion = (ingestion: string) =>
  call(api.POST('/v1/ingestions/{ingestion}/retry', { params: { path: { ingestion } } }))

export const discardIngestion = (ingestion: string, reason: string) =>
  call(api.POST('/v1/ingestions/{ingestion}/discard', { params: { path: { ingestion } }, body: { reason } }))

/** The rejected rows with an error column, streamed by the server as a file. */
export const rejectsUrl = (ingestion: string) => apiUrl(`v1/ingestions/${encodeURIComponent(ingestion)}/rejects`)
