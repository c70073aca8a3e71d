import { http, HttpResponse, type HttpHandler } from 'msw'
import type { Upload } from '../data/schema'
import { ok, problem, refused } from './answer'
import { nextId, soon } from './clock'
import { receive } from './handlers-data'

interface Sent {
  upload: Upload
  digests: Map<number, string>
  content: Map<number, string>
}
const uploads = new Map<string, Sent>()

const seen = ({ upload, digests, content }: Sent): Upload => ({
  ...upload, parts: [...content].map(([number, text]) => ({ number, bytes: text.length, sha256: digests.get(number) ?? '' })),
})

/** Answers with what the upload gives, or that there is none. */
const withUpload = (id: unknown, give: (s: Sent) => Response | Promise<Response>) => {
  const one = uploads.get(String(id))
  return refused('data:write') ?? (one ? give(one) : problem(404, `no upload ${String(id)}`, 'begin a new one'))
}

/** Files that go in parts, which are kept in memory. */
export const uploadHandlers: HttpHandler[] = [
  http.post('*/v1/uploads', async ({ request }) => {
    const body = (await request.json()) as Pick<Upload, 'dataset' | 'name' | 'bytes'>
    const upload: Upload = { ...body, id: nextId('upl'), partBytes: 8 << 20, parts: [], created: new Date().toISOString(), expires: soon(7 * 24 * 60) }
    uploads.set(upload.id, { upload, digests: new Map(), content: new Map() })
    return refused('data:write') ?? ok(upload, 201)
  }),
  http.get('*/v1/uploads/:u', ({ params }) => withUpload(params.u, (s) => ok(seen(s)))),
  http.delete('*/v1/uploads/:u', ({ params }) => withUpload(params.u, () => {
    uploads.delete(String(params.u))
    return new HttpResponse(null, { status: 204 })
  })),
  http.post('*/v1/uploads/:u/parts/:n/address', ({ params, request }) => withUpload(params.u, async (s) => {
    s.digests.set(Number(params.n), ((await request.json()) as { sha256: string }).sha256)
    return ok({ method: 'PUT', url: `/v1/uploads/${s.upload.id}/parts/${String(params.n)}`, headers: {}, expires: soon(15) })
  })),
  http.put('*/v1/uploads/:u/parts/:n', ({ params, request }) => withUpload(params.u, async (s) => {
    s.content.set(Number(params.n), await request.text())
    return ok(seen(s).parts.find((p) => p.number === Number(params.n))!)
  })),
  http.post('*/v1/uploads/:u/complete', ({ params }) => withUpload(params.u, (s) => {
    const text = [...s.content].sort(([a], [b]) => a - b).map(([, part]) => part).join('')
    return ok(receive(s.upload.dataset, s.upload.name, text), 202)
  })),
]
