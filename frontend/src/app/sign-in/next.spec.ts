import { expect, test } from 'vitest'
import { safeNext } from './next'

test.each([
  [undefined, '/'], ['', '/'], ['/runs?model=m', '/runs?model=m'], ['//evil.example', '/'], ['/\\evil.example', '/'],
  ['https://evil.example', '/'], ['/sign-in', '/'],
])('after signing in, %s leads to %s', (next, want) => expect(safeNext(next)).toBe(want))
