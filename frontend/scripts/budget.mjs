// Fails when what a browser must load grows over its budget (KiB, brotli): the first page, and each further route.
import { readFileSync } from 'node:fs'
import { brotliCompressSync } from 'node:zlib'

const budgets = { initial: 380, route: 90 }
const manifest = JSON.parse(readFileSync('dist/.vite/manifest.json', 'utf8'))
const sizes = new Map()

/** The size of a file, compressed once: nearly every route needs the same ones. */
function size(file) {
  if (!sizes.has(file)) sizes.set(file, brotliCompressSync(readFileSync(`dist/${file}`)).length / 1024)
  return sizes.get(file)
}

/** Every file that an entry needs before it can run. */
function needs(key, seen = new Map()) {
  const chunk = manifest[key]
  if (!chunk || seen.has(chunk.file)) return seen
  seen.set(chunk.file, size(chunk.file))
  for (const css of chunk.css ?? []) if (!seen.has(css)) seen.set(css, size(css))
  for (const other of chunk.imports ?? []) needs(other, seen)
  return seen
}

const total = (files) => [...files.values()].reduce((a, b) => a + b, 0)
const entry = Object.keys(manifest).find((k) => manifest[k].isEntry)
const first = needs(entry)
const lazy = Object.keys(manifest).filter((k) => manifest[k].isDynamicEntry)
const routes = lazy.map((key) => [key.replace('src/', ''), total(new Map([...needs(key)].filter(([f]) => !first.has(f))))])
const home = routes.find(([name]) => name === 'app/home/page.tsx')
if (!home || routes.length < 20) throw new Error(`only ${routes.length} routes were seen: is the manifest whole?`)

const initial = total(first) + home[1]
const over = routes.filter(([, kib]) => kib > budgets.route)
routes.sort((a, b) => b[1] - a[1])
console.log(`first page: ${initial.toFixed(0)} of ${budgets.initial} KiB; largest routes (of ${budgets.route}):`)
for (const [name, kib] of routes.slice(0, 5)) console.log(`  ${kib.toFixed(0).padStart(4)} KiB  ${name}`)
if (initial > budgets.initial || over.length > 0) {
  console.error(`over budget: ${over.map(([n, k]) => `${n} ${k.toFixed(0)}`).join(', ') || 'first page'}`)
  process.exit(1)
}
