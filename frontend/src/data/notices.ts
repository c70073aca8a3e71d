import { useSyncExternalStore } from 'react'
import { uuid } from '../lib/uuid'

export interface Notice {
  id: string
  type: 'success' | 'info' | 'warning' | 'error'
  text: string
}

let notices: Notice[] = []
const listeners = new Set<() => void>()
const stays = 8000

function set(next: Notice[]) {
  notices = next
  listeners.forEach((l) => l())
}

export const dismiss = (id: string): void => set(notices.filter((n) => n.id !== id))

/** Says something at the top of the page; good news goes away by itself, bad news stays. */
export function notify(type: Notice['type'], text: string): void {
  const id = uuid()
  set([...notices.slice(-3), { id, type, text }])
  if (type !== 'error') setTimeout(() => dismiss(id), stays)
}

const subscribe = (l: () => void) => (listeners.add(l), () => void listeners.delete(l))
export const useNotices = (): Notice[] => useSyncExternalStore(subscribe, () => notices)
