import { Outlet, useLocation } from '@tanstack/react-router'
import { Suspense, useState, useSyncExternalStore } from 'react'
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

const wide = window.matchMedia('(min-width: 901px)')
const watchWidth = (changed: () => void) => {
  wide.addEventListener('change', changed)
  return () => wide.removeEventListener('change', changed)
}

const buttons = '[aria-label="Open navigation"], [aria-label="Close navigation"]'
const byHand = () => window.event?.target instanceof Element && window.event.target.closest(buttons) !== null

/** Open where there is room until somebody clicks: the frame itself also closes it when it measures too little room while a page loads. */
function useNavigation(): [open: boolean, onChange: (open: boolean) => void] {
  const room = useSyncExternalStore(watchWidth, () => wide.matches)
  const [chosen, setChosen] = useState<{ room: boolean; open: boolean }>() // what was chosen in a narrow window says nothing of a wide one
  return [chosen?.room === room ? chosen.open : room, (open) => (!room || byHand()) && setChosen({ room, open })]
}

function Frame() {
  useFeed()
  const [open, setOpen] = useNavigation()
  const { pathname } = useLocation()
  return (
    <>
      <TopBar />
      <AppLayout
        headerSelector="#top"
        navigation={<Navigation pathname={pathname} />}
        navigationOpen={open}
        navigationWidth={220}
        onNavigationChange={(e) => setOpen(e.detail.open)}
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
