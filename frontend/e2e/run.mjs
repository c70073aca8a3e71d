// Runs the browser journey against a real platform: E2E_URL, E2E_PASSWORD (of ana and ben), E2E_ADMIN_PASSWORD,
// E2E_ARRIVAL (the file to upload). Fails when no specification ran.
import { readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { run } from 'node:test'
import { spec } from 'node:test/reporters'
import { fileURLToPath } from 'node:url'

const here = dirname(fileURLToPath(import.meta.url))
const files = readdirSync(here).filter((f) => f.endsWith('.spec.mjs')).map((f) => join(here, f))
const needed = ['E2E_URL', 'E2E_PASSWORD', 'E2E_ADMIN_PASSWORD', 'E2E_ARRIVAL'].filter((name) => !process.env[name])
if (files.length === 0 || needed.length > 0) {
  console.error(files.length === 0 ? 'there is no specification to run' : `set ${needed.join(', ')}`)
  process.exit(1)
}

let ran = 0
const stream = run({ files, concurrency: 1, timeout: 15 * 60_000 })
stream.on('test:pass', (e) => e.nesting === 0 && !e.skip && ran++)
stream.on('test:fail', () => (process.exitCode = 1))
stream.on('end', () => {
  if (ran > 0) return
  console.error('no specification passed')
  process.exitCode = 1
})
stream.compose(spec).pipe(process.stdout)
