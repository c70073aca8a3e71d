import { useQueryClient } from '@tanstack/react-query'
import { useRouter } from '@tanstack/react-router'
import { useRef, useState } from 'react'
import { notify } from '../../data/notices'
import { sendFile, type Progress } from '../../data/upload'
import { paths } from '../../lib/paths'

export interface Progressing extends Progress {
  name: string
}

export interface Failure {
  name: string
  error: unknown
  again: () => void
}

interface What {
  dataset: string
  file: File | undefined
  resubmits?: string
}

/** Sends a file and opens the page of its checks; it can be stopped, and tried again where it failed. */
export function useUpload() {
  const router = useRouter()
  const client = useQueryClient()
  const abort = useRef<AbortController>(undefined)
  const [state, setState] = useState<Progressing>()
  const [failed, setFailed] = useState<Failure>()
  const start = async ({ file, ...to }: What) => {
    if (!file) return
    const { name, size: total } = file
    const { signal } = (abort.current = new AbortController())
    setFailed(undefined)
    setState({ name, sent: 0, total })
    try {
      const ingestion = await sendFile({ ...to, file, signal, onProgress: (progress) => setState({ name, ...progress }) })
      await client.invalidateQueries({ queryKey: ['ingestions'] })
      router.history.push(paths.ingestion(ingestion.id))
    } catch (error) {
      if (signal.aborted) notify('info', `The upload of ${name} was stopped; nothing was kept.`)
      else setFailed({ name, error, again: () => void start({ file, ...to }) })
    } finally {
      setState(undefined)
    }
  }
  return { state, failed, start: (what: What) => void start(what), stop: () => abort.current?.abort() }
}
