import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { RouterProvider } from '@tanstack/react-router'
import { fireEvent, render, screen, waitFor } from '@testing-library/react'
import { createAppRouter } from '../app/router'
import { whenSignedOut } from '../data/client'
import { state } from './state'

/** Opens the app at an address, as somebody; what is asked goes to the stand-in. */
export function open(path: string, as?: string) {
  state.user = state.people.find((p) => p.name === as)
  window.history.replaceState(null, '', path)
  const client = new QueryClient({ defaultOptions: { queries: { retry: false } } })
  const router = createAppRouter(client)
  whenSignedOut(() => {
    client.setQueryData(['me'], null)
    void router.invalidate()
  })
  return render(<QueryClientProvider client={client}><RouterProvider router={router} /></QueryClientProvider>)
}

const slow = { timeout: 60_000 } // the first page of a test file loads its code, on a machine that may be busy

/** Waits for what is found by looking, not by roles: those take seconds on a page of this size. */
const find = <T,>(look: () => T | undefined, what: string) => waitFor(() => {
  const hit = look()
  if (hit === undefined) throw new Error(`there is no ${what}`)
  return hit
}, slow)

const called = (el: Element) => (el.getAttribute('aria-label') ?? el.textContent).trim()
const named = (selector: string, name: string | RegExp) =>
  [...document.querySelectorAll(selector)].find((el) => (typeof name === 'string' ? called(el) === name : name.test(called(el))))

export const see = (text: string | RegExp) => screen.findAllByText(text, undefined, slow)
export const heading = (name: string) => find(() => named('h1', name), `heading ${name}`)
export const hasButton = (name: string): boolean => named('button', name) !== undefined
export const button = (name: string | RegExp) => find(() => named('button', name), `button ${String(name)}`)
export const press = async (name: string | RegExp) => void fireEvent.click(await button(name))
export const choose = async (item: string) => void fireEvent.click(await find(() => named('[role=menuitem]', item), item))
export const dialog = () => find(() => document.querySelector<HTMLElement>('[role=dialog]') ?? undefined, 'dialog')
export const write = async (label: string | RegExp, value: string) =>
  void fireEvent.change(await screen.findByLabelText(label, undefined, slow), { target: { value } })

/** Picks an option of a select. */
export const pick = async (label: string, option: string) => {
  fireEvent.mouseDown(await screen.findByLabelText(label, undefined, slow))
  fireEvent.mouseUp(await find(() => [...document.querySelectorAll('[role=option]')].find((el) => el.textContent.includes(option)), option))
}

/** Presses the button of the open dialog that does what it asks about. */
export const confirm = async (name: string) => {
  const box = await dialog()
  fireEvent.click([...box.querySelectorAll('button')].find((b) => called(b) === name)!)
}
