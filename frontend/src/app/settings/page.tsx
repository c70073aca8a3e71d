import { useRouter, useSearch } from '@tanstack/react-router'
import { paths } from '../../lib/paths'
import { Page, Tabs } from '../../ui'
import { ChangePassword } from '../layout/ChangePassword'
import { Audit } from './Audit'
import { Keys } from './Keys'
import { Users } from './Users'

export default function SettingsPage() {
  const { tab } = useSearch({ strict: false }) as { tab?: string }
  const router = useRouter()
  return (
    <Page title="Settings" description="Who may do what, and who did it.">
      <Tabs activeTabId={tab ?? 'users'} onChange={(e) => router.history.push(paths.settings(e.detail.activeTabId))} tabs={[
        { id: 'users', label: 'Users', content: <Users /> },
        { id: 'keys', label: 'API keys', content: <Keys /> },
        { id: 'audit', label: 'Audit', content: <Audit /> },
        { id: 'account', label: 'Your account', content: <div className="narrow"><ChangePassword /></div> },
      ]} />
    </Page>
  )
}
