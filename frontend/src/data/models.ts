import { queryOptions } from '@tanstack/react-query'
import { api, call, ifMatch } from './client'
import type { Model, Trigger } from './schema'

export const models = {
  list: () => queryOptions({ queryKey: ['models'], queryFn: () => call(api.GET('/v1/models')) }),
  one: (model: string) => queryOptions({
    queryKey: ['models', model],
    queryFn: () => call(api.GET('/v1/models/{model}', { params: { path: { model } } })),
  }),
  versions: (model: string) => queryOptions({
    queryKey: ['models', model, 'versions'],
    queryFn: () => call(api.GET('/v1/models/{model}/versions', { params: { path: { model } } })),
  }),
  version: (model: string, number: number) => queryOptions({
    queryKey: ['models', model, 'versions', number],
    queryFn: () => call(api.GET('/v1/models/{model}/versions/{number}', { params: { path: { model, number } } })),
  }),
  trigger: (model: string) => queryOptions({
    queryKey: ['models', model, 'trigger'],
    queryFn: () => call(api.GET('/v1/models/{model}/trigger', { params: { path: { model } } })),
  }),
  lineage: (node: string, direction: 'forward' | 'backward', depth = 10) => queryOptions({
    queryKey: ['lineage', node, direction, depth],
    queryFn: () => call(api.GET('/v1/lineage', { params: { query: { node, direction, depth } } })),
  }),
}

export const createModel = (body: Pick<Model, 'id' | 'dataset'> & Partial<Pick<Model, 'name' | 'benchmarks' | 'preset' | 'canned'>>) =>
  call(api.POST('/v1/models', { body }))

export const updateModel = (model: Model, body: Partial<Pick<Model, 'name' | 'dataset' | 'benchmarks' | 'preset' | 'canned'>>) =>
  call(api.PATCH('/v1/models/{model}', { params: { path: { model: model.id }, header: ifMatch(model.rev) }, body }))

export const setAlias = (model: string, alias: 'champion' | 'challenger', version: number, reason: string) =>
  call(api.PUT('/v1/models/{model}/aliases/{alias}', { params: { path: { model, alias } }, body: { version, reason } }))

export const setTrigger = (t: Trigger) => {
  const { enabled, minRows, debounce, cooldown, schedule, timezone } = t
  return call(api.PUT('/v1/models/{model}/trigger', {
    params: { path: { model: t.model }, header: ifMatch(t.rev) },
    body: { enabled, minRows, debounce, cooldown, schedule, timezone },
  }))
}

export const importVersion = (model: string, artifact: string, reason: string) =>
  call(api.POST('/v1/models/{model}/versions', { params: { path: { model } }, body: { artifact, reason } }))
