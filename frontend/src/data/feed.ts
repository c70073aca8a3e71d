import { useQuery, useQueryClient, type QueryClient } from '@tanstack/react-query'
import { useEffect, useSyncExternalStore } from 'react'
import { staleAfter } from '../lib/stale'
import { observe } from './observe'
import { RealtimeClient, type Freshness } from './realtime'
import { session } from './session'

let freshness: Freshness = 'connecting'
const listeners = new Set<() => void>()
const subscribe = (l: () => void) => (listeners.add(l), () => void listeners.delete(l))

function setFreshness(state: Freshness) {
  freshness = state
  listeners.forEach((l) => l())
}

export const useFreshness = (): Freshness => useSyncExternalStore(subscribe, () => freshness)

const together = 250 // milliseconds: events that come at once refresh once

/** Collects subjects of events and makes stale what shows them. */
export function refresher(client: Pick<QueryClient, 'invalidateQueries'>): (types: string[]) => void {
  let types = new Set<string>()
  let timer: ReturnType<typeof setTimeout> | undefined
  const flush = () => {
    timer = undefined
    const stale = staleAfter(types)
    types = new Set()
    void client.invalidateQueries(stale ? { predicate: (q) => stale.has(String(q.queryKey[0])) } : undefined)
  }
  return (more) => {
    more.forEach((t) => types.add(t))
    timer ??= setTimeout(flush, together)
  }
}

/** Follows the events of the platform for as long as somebody is signed in. */
export function useFeed(): void {
  const client = useQueryClient()
  const config = useQuery(session.config())
  const transport = config.data?.realtime
  useEffect(() => {
    if (!transport) return
    let feed: RealtimeClient | undefined
    let closed = false
    const refresh = refresher(client)
    const start = (after: number) => {
      if (closed) return
      feed = new RealtimeClient({
        transport, after, onState: setFreshness,
        onEvents: (events) => refresh(events.map((e) => e.subject.type)),
        onLost: () => void client.invalidateQueries(),
      })
      void feed.run()
    }
    client.fetchQuery(observe.overview()).then((o) => start(o.recent[0]?.seq ?? 0), () => start(0))
    return () => {
      closed = true
      feed?.close()
    }
  }, [client, transport])
}
