import { withSearch } from '../lib/paths'
import { toApiError, unreachable } from '../lib/problem'
import { api, apiUrl, call, sameApp } from './client'
import type { Ingestion } from './schema'

export interface Progress {
  sent: number
  total: number
}

/** Files over this many bytes go in parts, so that a broken connection costs one part. */
export const partsFrom = 64 * 1024 * 1024
const attempts = 4

interface Sending {
  dataset: string
  file: File
  resubmits?: string // the arrival in quarantine that this file mends
  signal: AbortSignal
  onProgress: (p: Progress) => void
}

/** Sends a file and gives the ingestion that checks it. */
export function sendFile(s: Sending): Promise<Ingestion> {
  return s.file.size > partsFrom ? inParts(s) : whole(s)
}

async function whole({ dataset, file, resubmits, signal, onProgress }: Sending): Promise<Ingestion> {
  const url = apiUrl(withSearch(`v1/datasets/${encodeURIComponent(dataset)}/uploads`, { name: file.name, resubmits }))
  const total = file.size
  const answer = await transmit('POST', url, file, signal, (sent) => onProgress({ sent, total }))
  return answer as Ingestion
}

async function inParts({ dataset, file, resubmits, signal, onProgress }: Sending): Promise<Ingestion> {
  const upload = await call(api.POST('/v1/uploads', { body: { dataset, name: file.name, bytes: file.size, resubmits } }))
  try {
    for (let part = 1, from = 0; from < file.size; part++, from += upload.partBytes) {
      const url = apiUrl(`v1/uploads/${upload.id}/parts/${part}`)
      const body = file.slice(from, from + upload.partBytes)
      const base = from
      await again(() => transmit('PUT', url, body, signal, (sent) => onProgress({ sent: base + sent, total: file.size })), signal)
    }
  } catch (error) {
    if (signal.aborted) await call(api.DELETE('/v1/uploads/{upload}', { params: { path: { upload: upload.id } } }))
    throw error
  }
  return call(api.POST('/v1/uploads/{upload}/complete', { params: { path: { upload: upload.id } } }))
}

/** Repeats what a broken connection stopped; what the server refused stays refused. */
async function again<T>(send: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (let n = 1; ; n++) {
    try {
      return await send()
    } catch (error) {
      const status = (error as { status?: number }).status ?? 0
      if (signal.aborted || n === attempts || (status > 0 && status < 500)) throw error
      await new Promise((done) => setTimeout(done, 500 * 2 ** n))
    }
  }
}

/** XMLHttpRequest, because fetch does not tell how much of a body was sent. */
function transmit(
  method: string, url: string, body: Blob, signal: AbortSignal, onSent: (bytes: number) => void,
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest()
    request.open(method, url)
    request.responseType = 'json'
    request.setRequestHeader('Content-Type', 'application/octet-stream')
    for (const [name, value] of Object.entries(sameApp)) request.setRequestHeader(name, value)
    request.upload.onprogress = (e) => onSent(e.loaded)
    request.onload = () => {
      if (request.status < 300) resolve(request.response)
      else reject(toApiError(request.status, request.response))
    }
    request.onerror = () => reject(unreachable('the upload was cut off'))
    request.onabort = () => reject(new DOMException('The upload was stopped', 'AbortError'))
    signal.addEventListener('abort', () => request.abort(), { once: true })
    request.send(body)
  })
}
