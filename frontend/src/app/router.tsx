import type { QueryClient } from '@tanstack/react-query'
import { createRootRouteWithContext, createRoute, createRouter, lazyRouteComponent, Outlet, redirect } from '@tanstack/react-router'
import { session } from '../data/session'
import type { ApprovalStatus, RunStatus } from '../data/schema'
import { prefix } from '../lib/base'
import { Broken, Missing } from './layout/Broken'
import { Layout } from './layout/Layout'
import { Waiting } from './layout/Waiting'

type Search = Record<string, unknown>
const text = (v: unknown): string | undefined => (typeof v === 'string' && v !== '' ? v : undefined)
const number = (v: unknown): number | undefined => (Number.isFinite(Number(v)) && v !== undefined && v !== '' ? Number(v) : undefined)

const root = createRootRouteWithContext<{ client: QueryClient }>()({ component: Outlet, notFoundComponent: Missing })

const signIn = createRoute({
  getParentRoute: () => root, path: '/sign-in',
  validateSearch: (s: Search) => ({ next: text(s.next) }),
  component: lazyRouteComponent(() => import('./sign-in/page')),
})

/** Everything behind the sign-in. */
const inside = createRoute({
  getParentRoute: () => root, id: 'inside', component: Layout,
  beforeLoad: async ({ context, location }) => {
    const me = await context.client.ensureQueryData(session.me())
    if (!me) throw redirect({ to: '/sign-in', search: { next: location.href === '/' ? undefined : location.href } })
  },
})

const at = <P extends string>(path: P) => ({ getParentRoute: () => inside, path }) as const
const tab = (s: Search) => ({ tab: text(s.tab) })

export const routes = {
  home: createRoute({ ...at('/'), component: lazyRouteComponent(() => import('./home/page')) }),
  data: createRoute({ ...at('/data'), component: lazyRouteComponent(() => import('./data/page')) }),
  dataset: createRoute({ ...at('/data/$dataset'), validateSearch: tab, component: lazyRouteComponent(() => import('./data/dataset/page')) }),
  datasetVersion: createRoute({ ...at('/data/$dataset/versions/$number'), component: lazyRouteComponent(() => import('./data/version/page')) }),
  datasetDiff: createRoute({
    ...at('/data/$dataset/diff'), validateSearch: (s: Search) => ({ base: number(s.base), other: number(s.other) }),
    component: lazyRouteComponent(() => import('./data/diff/page')),
  }),
  ingestion: createRoute({ ...at('/ingestions/$ingestion'), component: lazyRouteComponent(() => import('./data/ingestion/page')) }),
  models: createRoute({ ...at('/models'), component: lazyRouteComponent(() => import('./models/page')) }),
  model: createRoute({ ...at('/models/$model'), validateSearch: tab, component: lazyRouteComponent(() => import('./models/model/page')) }),
  modelVersion: createRoute({ ...at('/models/$model/versions/$number'), component: lazyRouteComponent(() => import('./models/version/page')) }),
  runs: createRoute({
    ...at('/runs'), validateSearch: (s: Search) => ({ model: text(s.model), status: text(s.status) as RunStatus | undefined }),
    component: lazyRouteComponent(() => import('./runs/page')),
  }),
  run: createRoute({ ...at('/runs/$run'), validateSearch: tab, component: lazyRouteComponent(() => import('./runs/run/page')) }),
  lineage: createRoute({
    ...at('/lineage'), validateSearch: (s: Search) => ({ node: text(s.node), direction: s.direction === 'forward' ? 'forward' as const : undefined }),
    component: lazyRouteComponent(() => import('./lineage/page')),
  }),
  benchmarks: createRoute({ ...at('/benchmarks'), component: lazyRouteComponent(() => import('./benchmarks/page')) }),
  benchmark: createRoute({ ...at('/benchmarks/$benchmark'), component: lazyRouteComponent(() => import('./benchmarks/benchmark/page')) }),
  deployment: createRoute({
    ...at('/deployment'), validateSearch: (s: Search) => ({ model: text(s.model), rollback: text(s.rollback) }),
    component: lazyRouteComponent(() => import('./deployment/page')),
  }),
  releases: createRoute({ ...at('/releases'), validateSearch: (s: Search) => ({ model: text(s.model) }), component: lazyRouteComponent(() => import('./deployment/releases/page')) }),
  release: createRoute({ ...at('/releases/$release'), component: lazyRouteComponent(() => import('./deployment/release/page')) }),
  approvals: createRoute({
    ...at('/approvals'), validateSearch: (s: Search) => ({ status: text(s.status) as ApprovalStatus | undefined }),
    component: lazyRouteComponent(() => import('./approvals/page')),
  }),
  approval: createRoute({ ...at('/approvals/$approval'), component: lazyRouteComponent(() => import('./approvals/approval/page')) }),
  monitoring: createRoute({
    ...at('/monitoring'), validateSearch: (s: Search) => ({ model: text(s.model), env: text(s.env), minutes: number(s.minutes) }),
    component: lazyRouteComponent(() => import('./monitoring/page')),
  }),
  missing: createRoute({ ...at('/$'), component: Missing }),
  settings: createRoute({ ...at('/settings'), validateSearch: tab, component: lazyRouteComponent(() => import('./settings/page')) }),
}

const tree = root.addChildren([signIn, inside.addChildren(Object.values(routes) as [typeof routes.home])])

export const createAppRouter = (client: QueryClient) =>
  createRouter({
    routeTree: tree, basepath: prefix, context: { client }, scrollRestoration: true,
    defaultPendingComponent: Waiting, defaultErrorComponent: Broken, defaultNotFoundComponent: Missing,
  })
