import { setupWorker } from 'msw/browser'
import { prefix } from '../lib/base'
import { handlers } from './handlers'
import { state } from './state'

/** Starts the fake platform in a service worker. `?as=ana` in the address, or the stored name, signs in. */
export async function start(): Promise<void> {
  const name = new URLSearchParams(location.search).get('as') ?? sessionStorage.getItem('mock.as')
  if (name) sessionStorage.setItem('mock.as', name)
  state.user = state.people.find((p) => p.name === name)
  await setupWorker(...handlers).start({ serviceWorker: { url: `${prefix}mockServiceWorker.js` }, onUnhandledRequest: 'bypass', quiet: true })
}
