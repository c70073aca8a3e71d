import { withSearch } from '../lib/paths'
import { toApiError, unreachable } from '../lib/problem'
import { api, apiUrl, call, sameApp } from './client'
import { again, partsOf, passingOrExpired, sha256, wholeUpTo } from './parts'
import { forget, remember, unfinished } from './resume'
import type { Ingestion, Upload } from './schema'

export interface Progress {
  sent: number
  total: number
}

interface Sending {
  dataset: string
  file: File
  resubmits?: string // the arrival in quarantine that this file mends
  signal: AbortSignal
  onProgress: (p: Progress) => void
}

/** Sends a file and gives the ingestion that checks it. */
export async function sendFile(s: Sending): Promise<Ingestion> {
  const config = await call(api.GET('/v1/config'))
  return s.file.size > wholeUpTo(config) ? inParts(s) : whole(s)
}

async function whole({ dataset, file, resubmits, signal, onProgress }: Sending): Promise<Ingestion> {
  const url = apiUrl(withSearch(`v1/datasets/${encodeURIComponent(dataset)}/uploads`, { name: file.name, resubmits }))
  const total = file.size
  const answer = await transmit({ method: 'POST', url, headers: ours, body: file, signal }, (sent) => onProgress({ sent, total }))
  return answer as Ingestion
}

/** Sends what the platform does not have yet: an upload that did not end goes on where it stopped. */
async function inParts(s: Sending): Promise<Ingestion> {
  const upload = (await unfinished(s)) ?? (await begin(s))
  const path = { upload: upload.id }
  try {
    if (!upload.ingestion) await sendParts(s, upload)
    const ingestion = await again(() => call(api.POST('/v1/uploads/{upload}/complete', { params: { path } })), s.signal)
    forget(s)
    return ingestion
  } catch (error) {
    if (s.signal.aborted) await drop(s, upload.id)
    throw error
  }
}

async function begin(s: Sending): Promise<Upload> {
  const upload = await call(api.POST('/v1/uploads', { body: { dataset: s.dataset, name: s.file.name, bytes: s.file.size, resubmits: s.resubmits } }))
  remember(s, upload.id)
  return upload
}

async function drop(s: Sending, upload: string): Promise<void> {
  forget(s)
  await call(api.DELETE('/v1/uploads/{upload}', { params: { path: { upload } } }))
}

async function sendParts({ file, signal, onProgress }: Sending, upload: Upload): Promise<void> {
  const arrived = new Map(upload.parts.map((p) => [p.number, p.sha256]))
  for (const part of partsOf(file.size, upload.partBytes)) {
    const body = file.slice(part.from, part.to)
    const digest = await sha256(body)
    if (digest === undefined || arrived.get(part.number) !== digest) {
      await again(async () => {
        const to = await addressOf(upload.id, part.number, digest)
        await transmit({ ...to, body, signal }, (sent) => onProgress({ sent: part.from + sent, total: file.size }))
      }, signal, passingOrExpired)
    }
    onProgress({ sent: part.to, total: file.size })
  }
  signal.throwIfAborted()
}

/** Where a part goes: to the store by an address for its digest; through the API where there is none. */
async function addressOf(upload: string, part: number, digest: string | undefined): Promise<Target> {
  if (!digest) return { method: 'PUT', url: apiUrl(`v1/uploads/${upload}/parts/${part}`), headers: ours }
  const address = await call(api.POST('/v1/uploads/{upload}/parts/{part}/address', {
    params: { path: { upload, part } }, body: { sha256: digest },
  }))
  return { ...address, url: address.url.startsWith('/') ? apiUrl(address.url) : address.url }
}

interface Target {
  method: string
  url: string
  headers: Record<string, string>
}

const ours = { 'Content-Type': 'application/octet-stream', ...sameApp }

/** XMLHttpRequest, because fetch does not tell how much of a body was sent. */
function transmit(
  { method, url, headers, body, signal }: Target & { body: Blob; signal: AbortSignal }, onSent: (bytes: number) => void,
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const stopped = () => reject(new DOMException('The upload was stopped', 'AbortError'))
    if (signal.aborted) return stopped()
    const request = new XMLHttpRequest()
    const stop = () => request.abort()
    request.open(method, url)
    request.responseType = 'json'
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value)
    request.upload.onprogress = (e) => onSent(e.loaded)
    request.onload = () => {
      if (request.status < 300) resolve(request.response)
      else reject(toApiError(request.status, request.response))
    }
    request.onerror = () => reject(unreachable('the upload was cut off'))
    request.onabort = stopped
    request.onloadend = () => signal.removeEventListener('abort', stop)
    signal.addEventListener('abort', stop)
    request.send(body)
  })
}
