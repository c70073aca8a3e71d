import { useSyncExternalStore } from 'react'

export type Choice = 'system' | 'light' | 'dark'

const key = 'perennial.theme'
const os = window.matchMedia('(prefers-color-scheme: dark)')
const listeners = new Set<() => void>()

const stored = (): Choice => {
  const value = localStorage.getItem(key)
  return value === 'light' || value === 'dark' ? value : 'system'
}

const isDark = (): boolean => (stored() === 'system' ? os.matches : stored() === 'dark')

/** Puts the mode on the page; it follows the operating system until somebody chooses. */
export function applyTheme(): void {
  document.body.classList.toggle('awsui-dark-mode', isDark())
  document.body.classList.add('awsui-compact-mode')
  listeners.forEach((l) => l())
}

export function chooseTheme(choice: Choice): void {
  if (choice === 'system') localStorage.removeItem(key)
  else localStorage.setItem(key, choice)
  applyTheme()
}

os.addEventListener('change', applyTheme)

const subscribe = (l: () => void) => (listeners.add(l), () => void listeners.delete(l))
export const useDark = (): boolean => useSyncExternalStore(subscribe, isDark)
export const useChoice = (): Choice => useSyncExternalStore(subscribe, stored)
