import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query'
import { api, call, pages } from './client'

/** How many requests the captures show at most. */
export const captured = 50

export const observe = {
  overview: () => queryOptions({
    queryKey: ['overview'], queryFn: () => call(api.GET('/v1/overview')), refetchInterval: 15_000,
  }),
  traffic: (model: string, environment: string, minutes: number) => queryOptions({
    queryKey: ['traffic', model, environment, minutes],
    queryFn: () => call(api.GET('/v1/models/{model}/environments/{environment}/metrics', {
      params: { path: { model, environment }, query: { minutes } } })),
    refetchInterval: 15_000, // metrics are pulled, never pushed
  }),
  captures: (model: string, environment: string) => queryOptions({
    queryKey: ['captures', model, environment],
    queryFn: () => call(api.GET('/v1/models/{model}/environments/{environment}/captures', {
      params: { path: { model, environment }, query: { limit: captured } } })),
    refetchInterval: 15_000,
  }),
}

export const verifyAudit = () => call(api.GET('/v1/audit/verify'))

/** The audit log, newest first, page by page. */
export const auditPages = () => infiniteQueryOptions({
  queryKey: ['audit'],
  queryFn: ({ pageParam: cursor }) => call(api.GET('/v1/audit', { params: { query: { cursor, limit: 50 } } })),
  initialPageParam: undefined as string | undefined,
  getNextPageParam: (last) => last.nextCursor,
})

/** What the platform could not act on, oldest first. */
export const deadLetters = () => queryOptions({
  queryKey: ['dead-letters'], queryFn: () => pages((cursor) => call(api.GET('/v1/dead-letters', { params: { query: { cursor } } }))),
})

export const replayDeadLetter = (seq: number) => call(api.POST('/v1/dead-letters/{seq}/replay', { params: { path: { seq } } }))
