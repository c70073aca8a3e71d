import { Outlet, useLocation } from '@tanstack/react-router'
import { Suspense, useState } from 'react'
import { useFeed } from '../../data/feed'
import { useMe } from '../../data/hooks'
import { dismiss, useNotices } from '../../data/notices'
import { AppLayout, Flashbar } from '../../ui'
import { ChangePassword } from './ChangePassword'
import { Navigation } from './Navigation'
import { TopBar } from './TopBar'
import { Waiting } from './Waiting'

/** The frame around every screen. */
export function Layout() {
  const me = useMe()
  if (me.mustChangePassword) return <ChangePassword first />
  return <Frame />
}

/** The frame also closes the navigation by itself when it measures too little room while a page is still loading: only a click may. */
const mayClose = () => window.innerWidth < 900 || window.event?.type === 'click'

function Frame() {
  useFeed()
  const [open, setOpen] = useState(window.innerWidth > 900)
  const { pathname } = useLocation()
  return (
    <>
      <TopBar />
      <AppLayout
        headerSelector="#top"
        navigation={<Navigation pathname={pathname} />}
        navigationOpen={open}
        navigationWidth={220}
        onNavigationChange={(e) => (e.detail.open || mayClose()) && setOpen(e.detail.open)}
        toolsHide
        maxContentWidth={1480}
        notifications={<Notices />}
        ariaLabels={{ navigation: 'Main', navigationClose: 'Close navigation', navigationToggle: 'Open navigation', notifications: 'Notices' }}
        content={<Suspense fallback={<Waiting />}><Outlet /></Suspense>}
      />
    </>
  )
}

function Notices() {
  const items = useNotices().map((n) => ({
    id: n.id, type: n.type, content: n.text, dismissible: true, dismissLabel: 'Dismiss', onDismiss: () => dismiss(n.id),
  }))
  return <Flashbar items={items} />
}
