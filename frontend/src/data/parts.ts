/** One part of a file that goes in parts; numbers begin at 1. */
export interface Part {
  number: number
  from: number
  to: number // exclusive
}

/** Cuts a file of so many bytes. */
export function partsOf(size: number, partBytes: number): Part[] {
  const count = Math.ceil(size / partBytes)
  return Array.from({ length: count }, (_, i) => ({ number: i + 1, from: i * partBytes, to: Math.min(size, (i + 1) * partBytes) }))
}

/** What one request takes on AWS, where a function gets 6 MB of which base64 takes a third. */
const requestOnAws = 4 * 1024 * 1024

/** The largest file that goes in one request: above it a broken connection should cost one part only. */
export const wholeUpTo = (config: { mode: 'local' | 'aws'; partBytes: number }): number =>
  config.mode === 'aws' ? Math.min(requestOnAws, config.partBytes) : config.partBytes

const attempts = 4

/**
 * Repeats what a broken connection stopped; what the server refused stays refused. An address that has
 * expired, or was signed by a server that has begun anew since, is refused with 403: `send` asks for another.
 */
export async function again<T>(
  send: () => Promise<T>, signal: AbortSignal, mayPass: (status: number) => boolean = passing, pause = wait,
): Promise<T> {
  for (let n = 1; ; n++) {
    try {
      return await send()
    } catch (error) {
      const status = (error as { status?: number }).status ?? 0
      if (signal.aborted || n === attempts || !mayPass(status)) throw error
      await pause(status === 403 ? 0 : 500 * 2 ** n)
    }
  }
}

export const passing = (status: number): boolean => status === 0 || status === 429 || status >= 500
export const passingOrExpired = (status: number): boolean => passing(status) || status === 403

const wait = (ms: number) => new Promise<void>((done) => void setTimeout(done, ms))

/** The SHA-256 of a part in hex; undefined where the browser has none: on pages that came by plain HTTP from elsewhere. */
export async function sha256(content: Blob): Promise<string | undefined> {
  if (!(globalThis.crypto as Partial<Crypto> | undefined)?.subtle) return undefined
  const sum = await crypto.subtle.digest('SHA-256', await content.arrayBuffer())
  return Array.from(new Uint8Array(sum), (b) => b.toString(16).padStart(2, '0')).join('')
}
