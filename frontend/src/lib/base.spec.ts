import { expect, test } from 'vitest'
import { prefixOf } from './base'

test.each([
  ['https://host/', '/'],
  ['https://host/llm/', '/llm/'],
  ['https://host/a/b/', '/a/b/'],
  ['https://host/a/b/index.html', '/a/b/'],
])('the prefix of %s is %s', (uri, want) => expect(prefixOf(uri)).toBe(want))
