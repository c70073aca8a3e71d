import { matchRequestUrl, type HttpHandler } from 'msw'
import { expect, test } from 'vitest'
import { handlers } from './handlers'

const sources = Object.values(import.meta.glob<string>('../data/*.ts', { query: '?raw', import: 'default', eager: true }))
const calls = [...new Set(sources.flatMap((text) => [...text.matchAll(/api\.([A-Z]+)\('([^']+)'/g)].map((m) => `${m[1]} ${m[2]}`)))]

const answers = (call: string) => ({ info }: HttpHandler) => {
  const [method, path] = call.split(' ')
  return info.method === method && matchRequestUrl(new URL(path!.replace(/[{}]/g, ''), 'http://mock'), info.path as string).matches
}

test('the stand-in answers every call that the app makes', () => {
  expect(calls.length).toBeGreaterThan(50)
  expect(calls.filter((call) => !handlers.some(answers(call)))).toEqual([])
})
