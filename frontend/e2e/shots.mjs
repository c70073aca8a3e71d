// Takes a picture of every page and of what opens over it, in light and in dark, and looks for faults: accessibility (axe), violations of the
// content security policy, errors. Exits with 1 when it finds one.
//   npm run shots -- --url http://127.0.0.1:7070/ --out shots [--only home,run] [--user admin] (E2E_PASSWORD)
//   npm run shots -- --mock --out shots      (builds nothing; serves dist-mock itself)
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { appServer } from '../scripts/serve.mjs'
import { axe, launch, openPage, settle, signIn } from './browser.mjs'
import { dialogs, openDialog } from './dialogs.mjs'
import { routes } from './routes.mjs'

const { values: o } = parseArgs({ options: {
  url: { type: 'string', default: process.env.E2E_URL }, out: { type: 'string', default: 'shots' }, only: { type: 'string' }, 'no-axe': { type: 'boolean' }, mock: { type: 'boolean' },
  user: { type: 'string', default: process.env.E2E_USER ?? 'admin' }, width: { type: 'string', default: '1440' }, theme: { type: 'string' }, prefix: { type: 'string', default: '/llm/' },
} })

async function serveMock() {
  const server = appServer({ dir: 'dist-mock', prefix: o.prefix })
  await new Promise((done) => server.listen(0, '127.0.0.1', done))
  return [server, `http://127.0.0.1:${server.address().port}${o.prefix}`]
}

async function look(at, theme, [name, path], base) {
  const { page } = at
  await page.goto(base + path)
  await settle(page)
  await page.waitForTimeout(400) // charts draw on the next frames
  const height = await page.evaluate(() => document.documentElement.scrollHeight)
  return shoot(at, `${name}-${theme}`, height < 4000)
}

async function shoot({ page, faults }, name, fullPage) {
  await page.screenshot({ path: join(o.out, `${name}.png`), fullPage })
  const found = [...(o['no-axe'] ? [] : await axe(page)), ...(await faults()).filter((f) => !(o.mock && f.includes('ServiceWorker')))]
  found.forEach((f) => console.log(`  ${name}: ${f}`))
  return found.length
}

/** Pictures of what opens over the pages; a page that is not there, or offers none, has none. */
async function lookOver(at, theme, list, base) {
  let [seen, faults] = [0, 0]
  for (const [name, route, button] of dialogs) {
    const path = list.find(([r]) => r === route)?.[1]
    if (path === undefined) continue
    await at.page.goto(base + path)
    await settle(at.page)
    if (!(await openDialog(at.page, button))) continue
    faults += await shoot(at, `over-${name}-${theme}`, false)
    seen++
  }
  return [seen, faults]
}

async function inTheme(browser, theme, base) {
  const at = await openPage(browser, { theme, width: Number(o.width) })
  if (!o.only) {
    await at.page.goto(`${base}sign-in`)
    await look(at, theme, ['sign-in', 'sign-in'], base)
  }
  await signIn(at.page, base, o.user, process.env.E2E_PASSWORD ?? o.user)
  await settle(at.page)
  if (o.mock) await at.page.evaluate((user) => sessionStorage.setItem('mock.as', user), o.user)
  const list = (await routes(at.page)).filter(([name]) => !o.only || o.only.split(',').some((n) => name.startsWith(n)))
  let faults = 0
  for (const route of list) faults += await look(at, theme, route, base)
  const over = await lookOver(at, theme, list, base)
  await at.context.close()
  return [list.length + over[0], faults + over[1]]
}

mkdirSync(o.out, { recursive: true })
const [server, base] = o.mock ? await serveMock() : [undefined, o.url?.endsWith('/') ? o.url : `${o.url}/`]
const browser = await launch()
let pages = 0
let faults = 0
for (const theme of o.theme ? [o.theme] : ['light', 'dark']) {
  const [n, f] = await inTheme(browser, theme, base)
  pages += n
  faults += f
}
await browser.close()
server?.close()
console.log(`${pages} pages, ${faults} faults; pictures in ${o.out}`)
if (pages === 0 || faults > 0) process.exit(1)
