import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import I18nProvider from '@cloudscape-design/components/i18n'
import messages from '@cloudscape-design/components/i18n/messages/all.en'
import { RouterProvider } from '@tanstack/react-router'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { followLinks } from './app/links'
import { createAppRouter } from './app/router'
import { whenSignedOut } from './data/client'
import { ApiError } from './lib/problem'
import './ui/theme.css'
import './ui/app.css'
import { applyTheme } from './ui/theme'

const client = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 5000,
      // What the server refuses stays refused; a broken connection is tried again.
      retry: (n, error) => n < 2 && error instanceof ApiError && (error.status === 0 || error.status >= 500),
    },
  },
})

async function start() {
  if (import.meta.env.MODE === 'mock') await (await import('./mock/browser')).start()
  applyTheme()
  const router = createAppRouter(client)
  followLinks(router)
  whenSignedOut(() => {
    client.setQueryData(['me'], null)
    void router.invalidate()
  })
  createRoot(document.getElementById('root')!).render(
    <StrictMode>
      <QueryClientProvider client={client}>
        <I18nProvider locale="en" messages={[messages]}>
          <RouterProvider router={router} />
        </I18nProvider>
      </QueryClientProvider>
    </StrictMode>,
  )
}

void start()
