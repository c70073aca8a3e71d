import { useQuery } from '@tanstack/react-query'
import { useRef } from 'react'
import { runLogs } from '../../../data/runs'

const most = 20_000 // lines kept in the browser

/** The log so far. Each look asks only for what came after the last one. */
export function useLogs(run: string, final: boolean) {
  const seen = useRef<{ run: string; lines: string[]; next: number; done: boolean }>({ run, lines: [], next: 0, done: false })
  return useQuery({
    queryKey: ['run-logs', run],
    queryFn: async () => {
      if (seen.current.run !== run) seen.current = { run, lines: [], next: 0, done: false }
      for (;;) {
        const s = seen.current
        const page = await runLogs(run, s.next)
        seen.current = { run, lines: [...s.lines, ...page.lines].slice(-most), next: page.next, done: page.done }
        if (page.lines.length === 0 || page.next === s.next) break
      }
      return { lines: seen.current.lines, done: seen.current.done }
    },
    refetchInterval: (q) => (q.state.data?.done && final ? false : 1500),
    structuralSharing: false,
  })
}
