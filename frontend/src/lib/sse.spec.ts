import { describe, expect, test } from 'vitest'
import { EventStreamParser } from './sse'

const read = (...chunks: string[]) => {
  const parser = new EventStreamParser()
  return chunks.flatMap((c) => parser.push(c))
}

describe('EventStreamParser', () => {
  test('reads a message with its id', () => {
    expect(read('id: 7\ndata: {"a":1}\n\n')).toEqual([{ id: '7', event: 'message', data: '{"a":1}' }])
  })
  test('puts together what was cut anywhere', () => {
    const text = 'id: 1\nevent: run\ndata: one\ndata: two\n\n: beat\n\nid: 2\ndata: three\n\n'
    for (let cut = 0; cut <= text.length; cut++) {
      expect(read(text.slice(0, cut), text.slice(cut))).toEqual([
        { id: '1', event: 'run', data: 'one\ntwo' }, { id: '2', event: 'message', data: 'three' }])
    }
  })
  test('a carriage return and line feed cut in two is one line end', () => {
    expect(read('data: a\r', '\n\r', '\n').map((m) => m.data)).toEqual(['a'])
  })
  test('heartbeats make no message', () => expect(read(': beat\n\n', ': beat\n\n')).toEqual([]))
})
