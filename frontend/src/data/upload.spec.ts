import { http, HttpResponse } from 'msw'
import { beforeEach, expect, test, vi } from 'vitest'
import { ok, problem } from '../mock/answer'
import { server } from '../mock/setup'
import { again, partsOf, passingOrExpired, sha256, wholeUpTo } from './parts'
import { sendFile, type Progress } from './upload'

// The stand-in for the browser has no Blob.arrayBuffer.
Blob.prototype.arrayBuffer ??= function (this: Blob) {
  return new Promise((done) => {
    const reader = new FileReader()
    reader.onload = () => done(Buffer.from(reader.result as string) as unknown as ArrayBuffer) // of Node’s own kind, for its digest
    reader.readAsText(this)
  })
}

beforeEach(() => localStorage.clear()) // it remembers uploads that did not end

const text = 'abcdefghij'
const digestOfAbcd = '88d4266fd4e6338d13b845fcf289579d209c897823b9217da3e161936f031589'

test('a file is cut into parts of which only the last is shorter', () => {
  expect(partsOf(10, 4)).toEqual([{ number: 1, from: 0, to: 4 }, { number: 2, from: 4, to: 8 }, { number: 3, from: 8, to: 10 }])
  expect(partsOf(8, 4)).toHaveLength(2)
})

test('one request takes a part’s size on one machine, and 4 MiB on AWS', () => {
  expect(wholeUpTo({ mode: 'local', partBytes: 16 << 20 })).toBe(16 << 20)
  expect(wholeUpTo({ mode: 'aws', partBytes: 16 << 20 })).toBe(4 << 20)
})

test('what may pass is tried four times, what was refused once', async () => {
  const tries = async (status: number) => {
    const send = vi.fn(() => Promise.reject(Object.assign(new Error('no'), { status })))
    await expect(again(send, new AbortController().signal, passingOrExpired, () => Promise.resolve())).rejects.toThrow('no')
    return send.mock.calls.length
  }
  expect([await tries(0), await tries(503), await tries(403), await tries(400)]).toEqual([4, 4, 4, 1])
})

/** A platform that takes a file of ten bytes in parts of four, at addresses of another host. */
function platform() {
  const seen = { digests: [] as unknown[], parts: [] as string[], headers: [] as (string | null)[], dropped: 0, completed: 0, begun: 0 }
  server.use(
    http.get('*/v1/config', () => ok({ mode: 'aws', realtime: 'poll', version: '1', pollAfterMs: 1, partBytes: 4 })),
    http.post('*/v1/uploads', () => {
      seen.begun++
      return ok({ id: 'upl_1', partBytes: 4, parts: [] }, 201)
    }),
    http.post('*/v1/uploads/upl_1/parts/:n/address', async ({ request, params }) => {
      seen.digests.push(((await request.json()) as { sha256: string }).sha256)
      return ok({ method: 'PUT', url: `https://bucket.test/${String(params.n)}?signature=1`, headers: { 'X-Amz-Checksum-Sha256': 'x' }, expires: '2026-11-24T00:00:00Z' })
    }),
    http.put('https://bucket.test/:n', async ({ request }) => {
      seen.headers.push(request.headers.get('X-Amz-Checksum-Sha256'), request.headers.get('X-Requested-With'))
      seen.parts.push(await request.text())
      return new HttpResponse(null, { headers: { ETag: '"1"' } })
    }),
    http.post('*/v1/uploads/upl_1/complete', () => {
      seen.completed++
      return ok({ id: 'ing_1' }, 202)
    }),
    http.delete('*/v1/uploads/upl_1', () => {
      seen.dropped++
      return new HttpResponse(null, { status: 204 })
    }),
  )
  return seen
}

const send = (onProgress: (p: Progress) => void = () => undefined, signal = new AbortController().signal) =>
  sendFile({ dataset: 'support', file: new File([text], 'a.jsonl', { lastModified: 1 }), signal, onProgress })

test('a file larger than a request goes to signed addresses part by part, with the digest of each', async () => {
  const seen = platform()
  const steps: Progress[] = []
  await expect(send((p) => void steps.push(p))).resolves.toMatchObject({ id: 'ing_1' })
  expect(seen.parts).toEqual(['abcd', 'efgh', 'ij'])
  expect(seen.digests[0]).toBe(digestOfAbcd)
  expect(seen.headers.slice(0, 2)).toEqual(['x', null]) // the bucket allows no header of ours
  expect(steps.every((p) => p.total === 10 && p.sent <= 10)).toBe(true)
})

test('an address that has expired is asked for anew', async () => {
  const seen = platform()
  server.use(http.put('https://bucket.test/2', () => new HttpResponse('<Error/>', { status: 403 }), { once: true }))
  await send()
  expect(seen.parts).toEqual(['abcd', 'efgh', 'ij'])
  expect(seen.digests).toHaveLength(4)
})

test('content that the store refuses ends the upload with what is wrong', async () => {
  const seen = platform()
  server.use(http.put('https://bucket.test/2', () => problem(400, 'the content does not have the granted digest')))
  await expect(send()).rejects.toThrow('granted digest')
  expect(seen.completed).toBe(0)
})

test('a stopped upload sends no further part and is dropped', async () => {
  const seen = platform()
  const stop = new AbortController()
  server.use(http.put('https://bucket.test/2', () => {
    stop.abort()
    return new HttpResponse(null)
  }))
  await expect(send(undefined, stop.signal)).rejects.toThrow('stopped')
  expect(seen).toMatchObject({ parts: ['abcd'], dropped: 1, completed: 0 })
})

test('what failed for good goes on with the parts that are missing, also after a reload', async () => {
  const seen = platform()
  server.use(http.put('https://bucket.test/2', () => problem(400, 'no room'), { once: true }))
  await expect(send()).rejects.toThrow('no room')
  server.use(http.get('*/v1/uploads/upl_1', () => ok({ id: 'upl_1', partBytes: 4, parts: [{ number: 1, bytes: 4, sha256: digestOfAbcd }] })))
  await expect(send()).resolves.toMatchObject({ id: 'ing_1' })
  expect(seen).toMatchObject({ begun: 1, parts: ['abcd', 'efgh', 'ij'] })
})

test('an upload that the platform no longer has begins anew', async () => {
  const seen = platform()
  server.use(http.put('https://bucket.test/2', () => problem(400, 'no room'), { once: true }))
  await expect(send()).rejects.toThrow('no room')
  server.use(http.get('*/v1/uploads/upl_1', () => problem(404, 'no upload "upl_1"')))
  await send()
  expect(seen).toMatchObject({ begun: 2, parts: ['abcd', 'abcd', 'efgh', 'ij'] })
})

test('without a digest in the browser, parts go through the API', async () => {
  const seen = platform()
  vi.stubGlobal('crypto', {})
  server.use(http.put('*/v1/uploads/upl_1/parts/:n', async ({ request }) => {
    seen.parts.push(await request.text())
    return ok({ number: 1, bytes: 4, sha256: '' })
  }))
  try {
    expect(await sha256(new Blob([text]))).toBeUndefined()
    await send()
  } finally {
    vi.unstubAllGlobals()
  }
  expect(seen.parts).toEqual(['abcd', 'efgh', 'ij'])
  expect(seen.digests).toEqual([])
})
