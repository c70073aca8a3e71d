// Serves a built app as the platform does: strict content security policy, any prefix, every page by index.html.
//   node scripts/serve.mjs --dir dist-mock --port 4173 --prefix /llm/ [--api http://127.0.0.1:7070]
import { createReadStream, existsSync, readFileSync, statSync } from 'node:fs'
import { createServer, request as forward } from 'node:http'
import { extname, join, normalize } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'

export const policy = "default-src 'self'; object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
const types = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml', '.json': 'application/json', '.woff2': 'font/woff2' }

function proxy(api, request, response) {
  const target = new URL(request.url, api)
  const onward = forward(target, { method: request.method, headers: { ...request.headers, host: target.host } }, (answer) => {
    response.writeHead(answer.statusCode, answer.headers)
    answer.pipe(response)
  })
  onward.on('error', (error) => response.writeHead(502).end(error.message))
  request.pipe(onward)
}

function send(response, file) {
  response.writeHead(200, { 'Content-Type': types[extname(file)] ?? 'application/octet-stream', 'Content-Security-Policy': policy, 'X-Content-Type-Options': 'nosniff' })
  createReadStream(file).pipe(response)
}

/** Gives a server of the folder below the prefix. */
export function appServer({ dir, prefix = '/', api }) {
  const index = readFileSync(join(dir, 'index.html'), 'utf8').replace('<base href="/" />', `<base href="${prefix}" />`)
  return createServer((request, response) => {
    const path = decodeURIComponent(new URL(request.url, 'http://x').pathname)
    if (!path.startsWith(prefix)) return response.writeHead(404).end('outside of the app')
    const rest = path.slice(prefix.length)
    if (api && /^(v1|gateway|healthz)(\/|$)/.test(rest)) return proxy(api, request, response)
    const file = normalize(join(dir, rest))
    if (rest && file.startsWith(normalize(dir)) && existsSync(file) && statSync(file).isFile() && rest !== 'index.html') return send(response, file)
    response.writeHead(200, { 'Content-Type': types['.html'], 'Content-Security-Policy': policy })
    response.end(index)
  })
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { values } = parseArgs({ options: { dir: { type: 'string', default: 'dist' }, port: { type: 'string', default: '4173' }, prefix: { type: 'string', default: '/' }, api: { type: 'string' } } })
  const server = appServer(values).listen(Number(values.port), '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}${values.prefix}`))
}
