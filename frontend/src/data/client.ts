import createClient, { type Middleware } from 'openapi-fetch'
import { prefix } from '../lib/base'
import { ApiError, toApiError, unreachable } from '../lib/problem'
import type { paths } from '../types/api'

/** The header without which the server takes no change from a session cookie (cross-site request forgery). */
export const sameApp = { 'X-Requested-With': 'perennial' }

const markOurs: Middleware = {
  onRequest({ request }) {
    for (const [name, value] of Object.entries(sameApp)) request.headers.set(name, value)
    return request
  },
}

/** The address of an API path, for links and for what is streamed. */
export const apiUrl = (path: string): string => new URL(prefix + path.replace(/^\//, ''), location.origin).href

/** The one fetcher: every call of the API but the event stream and upload bodies goes through it. */
export const api = createClient<paths>({
  baseUrl: apiUrl(''),
  credentials: 'same-origin',
  fetch: (request) => fetch(request).catch((cause: unknown) => Promise.reject(unreachable(cause))),
})
api.use(markOurs)

interface Answer<T> {
  data?: T
  error?: unknown
  response: Response
}

type SignedOut = () => void
let onSignedOut: SignedOut = () => undefined
export const whenSignedOut = (f: SignedOut): void => void (onSignedOut = f)

/** Gives the body of a success and throws ApiError for everything else. */
export async function call<T>(request: Promise<Answer<T>>): Promise<T> {
  const { data, error, response } = await request
  if (response.ok) return data as T
  const problem = toApiError(response.status, error)
  if (problem.status === 401) onSignedOut()
  throw problem
}

/** Like call, for answers whose 401 does not mean that a session ended. */
export async function callOpen<T>(request: Promise<Answer<T>>): Promise<T> {
  const { data, error, response } = await request
  if (response.ok) return data as T
  throw toApiError(response.status, error)
}

/** Makes the header that lets a request which moves traffic or costs money be sent twice safely. */
export const once = (key: string): { 'Idempotency-Key': string } => ({ 'Idempotency-Key': key })

export const ifMatch = (rev: number): { 'If-Match': string } => ({ 'If-Match': `"${rev}"` })

/** Numbers the whole list of a paged resource, at most `most` of them. */
export async function pages<T>(
  page: (cursor: string | undefined) => Promise<{ items: T[]; nextCursor?: string }>, most = 1000,
): Promise<T[]> {
  const all: T[] = []
  let cursor: string | undefined
  do {
    const answer = await page(cursor)
    all.push(...answer.items)
    cursor = answer.nextCursor
  } while (cursor && all.length < most)
  return all
}

export { ApiError }
