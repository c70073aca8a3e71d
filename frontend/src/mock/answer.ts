import { HttpResponse } from 'msw'
import type { Permission } from '../data/schema'
import { meOf } from './people'
import { state } from './state'

const titles: Record<number, string> = { 401: 'Unauthenticated', 403: 'Forbidden', 404: 'NotFound', 409: 'Conflict', 412: 'Precondition', 422: 'Invalid', 423: 'Held', 428: 'Precondition' }

export function problem(status: number, detail: string, hint?: string) {
  const code = titles[status] ?? 'Internal'
  return HttpResponse.json({ type: `urn:perennial:${code}`, title: code, status, code, detail, hint, requestId: 'req_mock', retryable: false },
    { status, headers: { 'Content-Type': 'application/problem+json' } })
}

export const ok = (body: object, status = 200) => HttpResponse.json(body, { status })
export const found = (body: object | undefined, what: string) => (body ? ok(body) : problem(404, `there is no ${what}`, 'look at the list'))
export const list = (items: unknown[]) => ok({ items })

/** Refuses who is not signed in, or lacks the permission. */
export function refused(permission?: Permission) {
  if (!state.user) return problem(401, 'nobody is signed in', 'sign in')
  if (!permission || meOf(state.user).permissions.includes(permission)) return undefined
  return problem(403, `${state.user.name} may not do this: it needs ${permission}`)
}
