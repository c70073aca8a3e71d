import { expect, test } from 'vitest'
import { diffWords } from './diff'

test('equal texts have no difference', () => expect(diffWords('a b', 'a b')).toEqual([{ kind: 'same', text: 'a b' }]))
test('shows the words that changed', () => {
  expect(diffWords('the port is 80', 'the port is 443')).toEqual([
    { kind: 'same', text: 'the port is ' }, { kind: 'old', text: '80' }, { kind: 'new', text: '443' }])
})
test('both texts can be put together again', () => {
  const [old, next] = ['one two three four', 'zero two five three']
  const pieces = diffWords(old!, next!)
  expect(pieces.filter((p) => p.kind !== 'new').map((p) => p.text).join('')).toBe(old)
  expect(pieces.filter((p) => p.kind !== 'old').map((p) => p.text).join('')).toBe(next)
})
test('very long texts are given whole', () => {
  const long = 'w '.repeat(1000)
  expect(diffWords(long, 'x')).toEqual([{ kind: 'old', text: long }, { kind: 'new', text: 'x' }])
})
