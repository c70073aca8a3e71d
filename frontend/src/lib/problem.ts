import { sentence } from './format'
import { shortIds } from './subjects'

/** An answer that is not a success: RFC 9457 problem details, or a connection that failed. */
export interface Problem {
  title: string
  status: number
  code: string
  detail: string
  requestId?: string
  where?: string
  hint?: string
  retryable?: boolean
  errors?: { pointer: string; detail: string }[]
}

/** The one error class of the app. */
export class ApiError extends Error {
  readonly problem: Problem

  constructor(problem: Problem) {
    super(problem.detail)
    this.name = 'ApiError'
    this.problem = problem
  }

  get status(): number {
    return this.problem.status
  }

  /** What is wrong with one field of a form. */
  field(pointer: string): string | undefined {
    return this.problem.errors?.find((e) => e.pointer.replace(/^\//, '') === pointer)?.detail
  }
}

const isProblem = (body: unknown): body is Problem =>
  typeof body === 'object' && body !== null && 'code' in body && 'detail' in body

/** Makes an error of whatever a failed request answered; a proxy's HTML page becomes words too. */
export function toApiError(status: number, body: unknown): ApiError {
  if (isProblem(body)) return new ApiError({ ...body, status })
  return new ApiError({
    title: 'Unexpected answer',
    status,
    code: status >= 500 ? 'Unavailable' : 'Internal',
    detail: `The server answered ${status} without saying why.`,
    hint: 'Try again; if it stays, look at the server’s log.',
    retryable: status >= 500,
  })
}

export const unreachable = (cause: unknown): ApiError =>
  new ApiError({
    title: 'No connection',
    status: 0,
    code: 'Unreachable',
    detail: 'The server cannot be reached.',
    hint: `Check that it runs and that you are online (${cause instanceof Error ? cause.message : String(cause)}).`,
    retryable: true,
  })

export function asApiError(error: unknown): ApiError {
  return error instanceof ApiError ? error : unreachable(error)
}

const states: Record<number, { kind: 'refused' | 'forbidden' | 'missing' | 'stale' | 'offline'; title: string }> = {
  0: { kind: 'offline', title: 'The server cannot be reached' },
  400: { kind: 'refused', title: 'The server does not take this' },
  403: { kind: 'forbidden', title: 'You may not do this' },
  404: { kind: 'missing', title: 'This does not exist' },
  412: { kind: 'stale', title: 'Somebody changed this meanwhile' },
  423: { kind: 'forbidden', title: 'This has to wait' },
}

/** What is wrong, with its place unless the words begin with that already. */
const where = ({ where: place, detail }: Problem): string => (place && !detail.startsWith(place) ? `${place}: ${detail}` : detail)

/** How to speak about an error: forbidden, missing, stale, offline or failed. */
export function explain(error: unknown): { kind: string; title: string; detail: string; retry: boolean } {
  const { problem } = asApiError(error)
  const known = states[problem.status] ?? { kind: 'failed', title: problem.title || 'That did not work' }
  const what = sentence(where(problem))
  const detail = [what === `${known.title}.` ? '' : what, sentence(problem.hint ?? '')]
  return { ...known, detail: shortIds(detail.filter(Boolean).join(' ')), retry: problem.retryable ?? problem.status === 0 }
}
