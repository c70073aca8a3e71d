import { useSyncExternalStore } from 'react'
import { ago, duration, exact } from '../lib/format'

const listeners = new Set<() => void>()
let now = Date.now()
let timer: ReturnType<typeof setInterval> | undefined

function subscribe(listener: () => void) {
  listeners.add(listener)
  timer ??= setInterval(() => {
    now = Date.now()
    listeners.forEach((l) => l())
  }, 1000)
  return () => {
    listeners.delete(listener)
    if (listeners.size > 0) return
    clearInterval(timer)
    timer = undefined
  }
}

/** The time, once a second, for everything on the page that shows how long something is ago. */
export const useNow = (): number => useSyncExternalStore(subscribe, () => now)

/** The end of this minute in seconds since 1970, for what is counted by minutes. */
export const useMinute = (): number => useSyncExternalStore(subscribe, () => Math.ceil(now / 60_000) * 60)

/** "3 min. ago", with the exact time on hover and for programs. */
export function Time({ at }: { at: string | undefined }) {
  const time = useNow()
  if (!at) return <>—</>
  return <time dateTime={at} title={exact(at)}>{ago(at, time)}</time>
}

/** How long something took, or takes until now. */
export function Took({ from, to }: { from: string | undefined; to?: string | undefined }) {
  const time = useNow()
  if (!from) return <>—</>
  const end = to ? Date.parse(to) : Math.max(time, Date.parse(from))
  return <span title={`since ${exact(from)}`} className="num">{duration(end - Date.parse(from))}</span>
}
