import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query'
import { api, call } from './client'

export const benchmarks = {
  list: () => queryOptions({ queryKey: ['benchmarks'], queryFn: () => call(api.GET('/v1/benchmarks')) }),
}

/** A benchmark with its items, page by page. */
export const benchmarkItems = (benchmark: string) => infiniteQueryOptions({
  queryKey: ['benchmarks', benchmark],
  queryFn: ({ pageParam: cursor }) => call(api.GET('/v1/benchmarks/{benchmark}', { params: { path: { benchmark }, query: { limit: 100, cursor } } })),
  initialPageParam: undefined as string | undefined,
  getNextPageParam: (last) => last.nextCursor,
})
