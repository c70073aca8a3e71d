import { EventStreamParser } from '../lib/sse'
import { asApiError, toApiError, unreachable } from '../lib/problem'
import { api, apiUrl, callOpen } from './client'
import type { Event } from './schema'

export type Freshness = 'connecting' | 'live' | 'delayed' | 'offline'

export interface RealtimeOptions {
  transport: 'sse' | 'poll'
  after: number
  onEvents: (events: Event[]) => void
  onLost: () => void // the place in the feed is gone: fetch everything again
  onState: (state: Freshness) => void
  wait?: (ms: number, signal: AbortSignal) => Promise<void>
}

const quietMost = 40_000 // two missed heartbeats and a half
const retryFirst = 1000
const retryMost = 30_000

/** Resolves after ms or at once when the signal aborts. */
function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms)
    signal.addEventListener('abort', () => (clearTimeout(timer), resolve()), { once: true })
  })
}

/**
 * Follows the feed of events. Events are hints: they make queries stale and carry no state, so a lost one costs
 * latency, never correctness. The stream falls back to polling while it cannot be opened.
 */
export class RealtimeClient {
  private readonly stop = new AbortController()
  private readonly o: RealtimeOptions & { wait: NonNullable<RealtimeOptions['wait']> }
  private after: number
  private failures = 0

  constructor(options: RealtimeOptions) {
    this.o = { wait: sleep, ...options }
    this.after = options.after
  }

  async run(): Promise<void> {
    this.o.onState('connecting')
    while (!this.stop.signal.aborted) {
      const pause = await this.round().catch((error: unknown) => this.failed(error))
      await this.o.wait(pause, this.stop.signal)
    }
  }

  close(): void {
    this.stop.abort()
  }

  /** One stream or one poll; gives the milliseconds until the next one. */
  private async round(): Promise<number> {
    if (this.o.transport === 'poll' || this.failures % 3 === 2) return this.poll()
    await this.stream()
    return retryFirst
  }

  private failed(error: unknown): number {
    if (this.stop.signal.aborted) return 0
    const { status } = asApiError(error)
    if (status === 410) {
      this.after = 0
      this.o.onLost()
    }
    this.failures++
    this.o.onState(this.failures > 2 ? 'offline' : 'delayed')
    return Math.min(retryMost, retryFirst * 2 ** this.failures)
  }

  private async poll(): Promise<number> {
    const page = await callOpen(api.GET('/v1/events', { params: { query: { after: this.after, limit: 200 } }, signal: this.stop.signal }))
    this.take(page.items)
    this.after = Math.max(this.after, page.next)
    this.healthy()
    return page.items.length === 200 ? 0 : page.pollAfterMs
  }

  private async stream(): Promise<void> {
    const quiet = new AbortController()
    const signal = AbortSignal.any([this.stop.signal, quiet.signal])
    let timer = setTimeout(() => quiet.abort(), quietMost)
    const beat = () => {
      clearTimeout(timer)
      timer = setTimeout(() => quiet.abort(), quietMost)
    }
    try {
      await this.read(await this.open(signal), beat)
    } finally {
      clearTimeout(timer)
    }
  }

  private async open(signal: AbortSignal): Promise<ReadableStream<Uint8Array>> {
    const url = apiUrl(`v1/events/stream?after=${this.after}`)
    const response = await fetch(url, { signal, headers: { Accept: 'text/event-stream' }, credentials: 'same-origin' })
      .catch((cause: unknown) => Promise.reject(unreachable(cause)))
    if (!response.ok || !response.body) throw toApiError(response.status, await response.json().catch(() => undefined))
    this.healthy()
    return response.body
  }

  private async read(body: ReadableStream<Uint8Array>, beat: () => void): Promise<void> {
    const parser = new EventStreamParser()
    const decoder = new TextDecoder()
    const reader = body.getReader()
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      beat()
      this.take(parser.push(decoder.decode(value, { stream: true })).map((m) => JSON.parse(m.data) as Event))
    }
  }

  /** Passes on what is new; a resumed stream may repeat the last ones. */
  private take(events: Event[]): void {
    const fresh = events.filter((e) => e.seq > this.after)
    const last = fresh.at(-1)
    if (!last) return
    this.after = last.seq
    this.o.onEvents(fresh)
  }

  private healthy(): void {
    this.failures = 0
    this.o.onState('live')
  }
}
