import { readFileSync } from 'node:fs'
import react from '@vitejs/plugin-react'
import { defineConfig, type Plugin } from 'vitest/config'

/** In mock mode the app brings its own stateful server, which runs in a service worker. */
function mockWorker(): Plugin {
  return {
    name: 'mock-worker',
    generateBundle() {
      const source = readFileSync('node_modules/msw/lib/mockServiceWorker.js', 'utf8')
      this.emitFile({ type: 'asset', fileName: 'mockServiceWorker.js', source })
    },
  }
}

export default defineConfig(({ mode }) => ({
  base: './', // every address is relative to <base>, so the app works below any path prefix
  plugins: [react(), ...(mode === 'mock' ? [mockWorker()] : [])],
  server: { proxy: { '/v1': process.env.PERENNIAL_URL ?? 'http://127.0.0.1:7070' } },
  build: {
    assetsInlineLimit: 0, // the content security policy allows no data: addresses
    modulePreload: { polyfill: false }, // it would be an inline script
    target: 'es2022',
    manifest: true,
    chunkSizeWarningLimit: 2000,
  },
  test: {
    environment: 'jsdom',
    include: ['src/**/*.spec.{ts,tsx}'],
    setupFiles: ['src/mock/setup.ts'],
    server: { deps: { inline: [/@cloudscape-design/] } },
    css: false,
    restoreMocks: true,
    testTimeout: 180_000, // pages take long on a busy machine; nothing waits longer than it must
    pool: 'threads',
    isolate: false, // one browser stand-in per worker, not per file; tests keep their state to themselves
    maxWorkers: 2,
  },
}))
