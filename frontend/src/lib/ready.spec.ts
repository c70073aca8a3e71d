import { expect, test } from 'vitest'
import { state } from '../mock/state'
import { readiness } from './ready'

test('the version that serves now is the way back', () =>
  expect(readiness(state.environments, 'production', 14)).toEqual({ ok: true, text: 'version 13 serves production now and is kept warm' }))
test('after the release, the warm one is', () => expect(readiness(state.environments, 'production', 13).text).toMatch(/version 12 is warm/))
test('a first version has no way back', () => {
  const empty = state.environments.map((e) => ({ ...e, targets: [] }))
  expect(readiness(empty, 'production', 1).ok).toBe(false)
})
test('unknown environments are said to be unknown', () => expect(readiness(undefined, 'x', 1).text).toBe('not known'))
