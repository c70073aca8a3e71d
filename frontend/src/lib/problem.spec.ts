import { describe, expect, test } from 'vitest'
import { asApiError, explain, toApiError } from './problem'

describe('toApiError', () => {
  test('keeps the problem that the server stated', () => {
    const e = toApiError(423, { title: 'Held', code: 'Held', detail: 'v3 is held', hint: 'release the hold' })
    expect(e.problem.code).toBe('Held')
    expect(explain(e)).toMatchObject({ kind: 'forbidden', detail: 'V3 is held. Release the hold.' })
  })
  test('finds words for an answer that states none', () => {
    expect(toApiError(502, '<html>').problem).toMatchObject({ code: 'Unavailable', retryable: true })
  })
  test('finds what is wrong with a field', () => {
    const e = toApiError(422, { code: 'Invalid', detail: 'x', errors: [{ pointer: '/name', detail: 'too long' }] })
    expect(e.field('name')).toBe('too long')
    expect(e.field('other')).toBeUndefined()
  })
})

describe('explain', () => {
  test('a failed connection can be retried', () => {
    expect(explain(new TypeError('Failed to fetch'))).toMatchObject({ kind: 'offline', retry: true })
  })
  test('another person was faster', () => expect(explain(toApiError(412, undefined)).kind).toBe('stale'))
  test('wraps what is no ApiError', () => expect(asApiError('odd').problem.code).toBe('Unreachable'))
})
