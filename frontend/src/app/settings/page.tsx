import { useRouter, useSearch } from '@tanstack/react-router'
import { lazy, Suspense, type ReactNode } from 'react'
import { useMe } from '../../data/hooks'
import { may } from '../../data/session'
import { paths } from '../../lib/paths'
import { Page, Tabs } from '../../ui'
import { ChangePassword } from '../layout/ChangePassword'
import { Waiting } from '../layout/Waiting'

const Audit = lazy(() => import('./Audit').then((m) => ({ default: m.Audit })))
const DeadLetters = lazy(() => import('./DeadLetters').then((m) => ({ default: m.DeadLetters })))
const Keys = lazy(() => import('./Keys').then((m) => ({ default: m.Keys })))
const Users = lazy(() => import('./Users').then((m) => ({ default: m.Users })))
const later = (content: ReactNode) => <Suspense fallback={<Waiting />}>{content}</Suspense>

export default function SettingsPage() {
  const { tab } = useSearch({ strict: false }) as { tab?: string }
  const router = useRouter()
  const me = useMe()
  return (
    <Page title="Settings" description="Who may do what, and who did it.">
      <Tabs activeTabId={tab ?? (may(me, 'settings:read') ? 'users' : 'account')} onChange={(e) => router.history.push(paths.settings(e.detail.activeTabId))} tabs={[
        { id: 'users', label: 'Users', content: later(<Users />) },
        { id: 'keys', label: 'API keys', content: later(<Keys />) },
        { id: 'audit', label: 'Audit', content: later(<Audit />) },
        { id: 'dead-letters', label: 'Dead letters', content: later(<DeadLetters />) },
        { id: 'account', label: 'Your account', content: <div className="narrow"><ChangePassword /></div> },
      ]} />
    </Page>
  )
}
