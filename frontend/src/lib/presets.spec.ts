import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { presets } from './presets'

test('every preset that the platform knows is offered, safe first', () => {
  const go = /Presets = \[\]string\{(.*)\}/.exec(readFileSync('../pkg/registry/preset.go', 'utf8'))?.[1] ?? ''
  const known = [...go.matchAll(/"(\w+)"/g)].map((m) => m[1])
  expect(known.length).toBeGreaterThan(2)
  expect(presets.map((p) => p.value).sort()).toEqual(known.sort())
  expect(presets[0]?.value).toBe('safe')
})
