import { expect, test } from 'vitest'
import { cause } from './cause'

test('words stay as they are', () => expect(cause('model assistant is locked by another run')).toBe('model assistant is locked by another run'))
test('a function’s error answer gives its message', () =>
  expect(cause('{"errorMessage":"the dataset is gone","errorType":"NotFound","stackTrace":[]}')).toBe('the dataset is gone'))
test('what stands before an answer stays', () =>
  expect(cause('start training: {"Error":"Invalid","Cause":"{\\"errorMessage\\":\\"no rows\\"}"}')).toBe('start training: no rows'))
test('an answer without words, and a brace that is none, stay', () => {
  expect(cause('{"a":1}')).toBe('{"a":1}')
  expect(cause('row {1 is odd')).toBe('row {1 is odd')
})
test('a record that cannot be read is named', () =>
  expect(cause('decode TRIGGER#broken TRIGGER: unexpected end of JSON input')).toBe('what the platform keeps about the trigger broken cannot be read'))
test('a refusal of AWS is short', () =>
  expect(cause('start execution: operation error SFN: StartExecution, https response error StatusCode: 400, RequestID: 6f-1, AccessDeniedException: not allowed')).toBe('start execution: SFN refused StartExecution: AccessDeniedException: not allowed'))
