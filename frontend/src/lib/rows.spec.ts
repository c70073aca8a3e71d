import { expect, test } from 'vitest'
import { turns } from './rows'

test('messages become turns', () =>
  expect(turns({ messages: [{ role: 'user', content: 'hi' }, { odd: 1 }] })).toEqual([{ role: 'user', text: 'hi' }]))
test('prompt and completion become two turns', () =>
  expect(turns({ prompt: 'a', completion: 'b' })).toEqual([{ role: 'user', text: 'a' }, { role: 'assistant', text: 'b' }]))
test('a text is one turn', () => expect(turns({ text: 'x' })).toEqual([{ role: 'text', text: 'x' }]))
test('anything else is shown as it is', () => expect(turns({ a: 1 })[0]!.text).toBe('{"a":1}'))
