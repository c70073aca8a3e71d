import { useQueries, useQuery } from '@tanstack/react-query'
import { digest } from '../lib/format'
import { nameOf } from '../lib/subjects'
import { benchmarks } from './benchmarks'
import { datasets } from './datasets'
import { models } from './models'
import { environments } from './releases'
import { may, session } from './session'
import type { Hold, Me, Permission } from './schema'

/** Who is signed in; screens are shown only when somebody is. */
export function useMe(): Me {
  const { data } = useQuery(session.me())
  return data ?? { id: '', name: '', kind: 'user', roles: [], permissions: [], environments: [], mustChangePassword: false }
}

const needed: Partial<Record<Permission, string>> = {
  'data:write': 'data-engineer', 'runs:write': 'ml-engineer', 'models:write': 'ml-engineer', 'approvals:decide': 'approver',
  'deployments:write': 'ml-engineer', 'rollback:write': 'ml-engineer or approver', 'settings:write': 'admin', 'users:write': 'admin',
}

/** Whether the caller may do something, and if not, the words for the disabled button. */
export function useMay(permission: Permission): { ok: boolean; why: string | undefined } {
  const ok = may(useMe(), permission)
  const role = needed[permission]
  return { ok, why: ok ? undefined : `Needs the permission ${permission}${role ? ` (role ${role})` : ''}` }
}

/** The holds in force in some environments of a model; `reading` while one of them is not known. */
export function useHolds(model: string, names: string[]): { reading: boolean; holds: Hold[] } {
  const all = useQueries({ queries: names.map((n) => environments.holds(model, n)) })
  return { reading: all.some((q) => q.isPending), holds: all.flatMap((q) => q.data?.items ?? []).filter((h) => !h.released) }
}

/** Names versions of a model by their digest: what people call them, or the digest of one that is not known. */
export function useVersionName(model: string): (of: string) => string {
  const { data } = useQuery(models.versions(model))
  const known = new Map((data?.items ?? []).map((v) => [v.digest, `version ${v.number}`]))
  return (of) => known.get(of) ?? digest(of)
}

const called = (items: { id: string; name: string }[] | undefined, id: string): string => items?.find((i) => i.id === id)?.name || id

/** What people call a dataset; its id until that is known. */
export const useDatasetName = (id = ''): string => called(useQuery(datasets.list()).data?.items, id)

/** What people call a model; its id until that is known. */
export const useModelName = (id = ''): string => called(useQuery(models.list()).data?.items, id)

/** Names the subject of an event or a node of the lineage. */
export function useNameOf(): (subject: Parameters<typeof nameOf>[0], data?: unknown) => string {
  const known = { model: useQuery(models.list()).data?.items, dataset: useQuery(datasets.list()).data?.items }
  return (subject, data) => nameOf(subject, data, (kind, id) => called(known[kind], id))
}

/** What people call a benchmark; its id until that is known. */
export function useBenchmarkName(id: string): string {
  const { data } = useQuery(benchmarks.list())
  return data?.items.find((b) => b.benchmark === id)?.title || id
}
