import { setupServer } from 'msw/node'
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest'
import { handlers } from './handlers'
import { resetState, state } from './state'

// The stand-in for the browser has no media queries: everything is wide and light.
window.matchMedia ??= (media: string) => Object.assign(new EventTarget(), { media, matches: media.includes('min-width') }) as unknown as MediaQueryList

window.scrollTo = () => undefined

/** The fake platform for tests; ana is signed in and every test begins with the same state. */
export const server = setupServer(...handlers)

beforeAll(() => server.listen({ onUnhandledRequest: 'error' }))
beforeEach(() => {
  resetState()
  state.user = state.people.find((p) => p.name === 'ana')
})
afterEach(() => server.resetHandlers())
afterAll(() => server.close())
