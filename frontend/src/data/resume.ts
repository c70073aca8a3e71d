import { api, ApiError, call } from './client'
import type { Upload } from './schema'

/** What tells that a file is the one whose upload did not end. */
interface Known {
  dataset: string
  file: File
  resubmits?: string
}

const keyOf = ({ dataset, file, resubmits = '' }: Known) =>
  `perennial.upload ${[dataset, resubmits, file.name, file.size, file.lastModified].join(' ')}`

export const remember = (known: Known, upload: string): void => localStorage.setItem(keyOf(known), upload)
export const forget = (known: Known): void => localStorage.removeItem(keyOf(known))

const gone = (error: unknown) => error instanceof ApiError && [403, 404, 410].includes(error.status)

/** The upload of this very file that did not end, also before a reload; undefined when it is gone or there is none. */
export async function unfinished(known: Known): Promise<Upload | undefined> {
  const upload = localStorage.getItem(keyOf(known))
  if (!upload) return undefined
  try {
    return await call(api.GET('/v1/uploads/{upload}', { params: { path: { upload } } }))
  } catch (error) {
    if (!gone(error)) throw error
    forget(known)
    return undefined
  }
}
