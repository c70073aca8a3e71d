import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { uuid } from '../lib/uuid'
import { notify } from './notices'

interface Options<T> {
  stale: string[] // first parts of the query keys that the action makes stale
  done?: string | ((result: T) => string)
  then?: (result: T) => void
}

/** Does something that changes the server's state, then refreshes what shows it and says so. */
export function useAction<A, T>(act: (input: A) => Promise<T>, { stale, done, then }: Options<T>) {
  const client = useQueryClient()
  const mutation = useMutation({
    mutationFn: act,
    onSuccess: async (result: T) => {
      await Promise.all([...stale, 'overview'].map((first) => client.invalidateQueries({ queryKey: [first] })))
      if (done) notify('success', typeof done === 'function' ? done(result) : done)
      then?.(result)
    },
  })
  return { run: (input: A) => mutation.mutate(input), busy: mutation.isPending, error: mutation.error, reset: mutation.reset }
}

/** One idempotency key for as long as a dialog is open: a second click or a retry does nothing twice. */
export const useOnceKey = (): string => useState(uuid)[0]
