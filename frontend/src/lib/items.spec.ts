import { expect, test } from 'vitest'
import { question } from './items'

test('an input is the question', () => expect(question({ input: 'a' })).toBe('a'))
test('messages and choices stand below one another', () =>
  expect(question({ messages: [{ role: 'system', content: 's' }, { role: 'user', content: 'u' }], choices: ['x', 'y'] })).toBe('s\nu\n○ x\n○ y'))
