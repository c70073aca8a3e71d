// A browser for the journey and the screenshots: Debian's Chromium, or what CHROMIUM names.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { chromium } from 'playwright-core'

const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

const patience = Number(process.env.E2E_PATIENCE ?? 60) * 1000 // a busy machine takes long; nothing waits longer than it must

export const launch = () => chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'],
})

/** Opens a page that remembers what went wrong in it: violations of the content security policy and errors. */
export async function openPage(browser, { theme = 'light', width = 1440, height = 1000 } = {}) {
  const context = await browser.newContext({ viewport: { width, height }, colorScheme: theme, reducedMotion: 'reduce' })
  await context.addInitScript(() => {
    window.__faults = []
    document.addEventListener('securitypolicyviolation', (e) => window.__faults.push(`CSP ${e.violatedDirective} ${e.blockedURI} ${e.sample}`))
  })
  context.setDefaultTimeout(patience)
  const page = await context.newPage()
  const faults = []
  page.on('pageerror', (e) => faults.push(`error ${e.message}`))
  page.on('console', (m) => m.type() === 'error' && !/status of 4\d\d/.test(m.text()) && faults.push(`console ${m.text()}`))
  return { page, context, faults: async () => [...faults.splice(0), ...(await page.evaluate(() => window.__faults.splice(0)))] }
}

/** Waits until nothing on the page waits any more. */
export async function settle(page) {
  await page.waitForLoadState('load')
  await page.waitForFunction(() => document.querySelector('h1') && !document.querySelector('.waiting'), undefined, { timeout: patience })
  await page.evaluate(() => document.fonts.ready.then(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))))
}

/** What axe finds against WCAG 2.2 A and AA, one line each. */
export async function axe(page) {
  await page.evaluate(axeSource) // evaluated by the browser's debugger, so the page's policy stays as strict as it is
  const { violations } = await page.evaluate(() => window.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] }))
  return violations.flatMap((v) => v.nodes.slice(0, 3).map((n) => `${v.id}: ${n.target.join(' ')} — ${n.html.slice(0, 160)} — ${(n.any[0] ?? n.all[0] ?? n.none[0])?.message ?? ''}`))
}

/** Signs in by the form, as a person does. */
export async function signIn(page, base, user, password) {
  await page.goto(`${base}sign-in`)
  await page.getByLabel('User').fill(user)
  await page.getByLabel('Password').fill(password)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.waitForURL((url) => !url.pathname.endsWith('/sign-in'))
}
