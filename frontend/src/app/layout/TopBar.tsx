import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useRouter } from '@tanstack/react-router'
import { useFreshness } from '../../data/feed'
import { useMe } from '../../data/hooks'
import type { Freshness } from '../../data/realtime'
import { session, signOut } from '../../data/session'
import { prefix } from '../../lib/base'
import { paths } from '../../lib/paths'
import { TopNavigation } from '../../ui'
import { chooseTheme, useChoice, type Choice } from '../../ui/theme'

const badges: Record<Freshness, { text: string; title: string }> = {
  connecting: { text: '○ Connecting', title: 'Opening the feed of events' },
  live: { text: '● Live', title: 'Changes show as they happen' },
  delayed: { text: '◐ Delayed', title: 'The feed was cut; trying again' },
  offline: { text: '○ Offline', title: 'The server cannot be reached: what you see may be old' },
}

const themes: Record<Choice, string> = { system: 'System theme', light: 'Light theme', dark: 'Dark theme' }

export function TopBar() {
  const me = useMe()
  const client = useQueryClient()
  const router = useRouter()
  const config = useQuery(session.config())
  const theme = useChoice()
  const fresh = badges[useFreshness()]
  const leave = async () => {
    await signOut().catch(() => undefined)
    client.clear()
    await router.invalidate()
  }
  const pick = (id: string) => (id === 'out' ? void leave() : router.history.push(paths.settings(id)))
  return (
    <div id="top">
      <TopNavigation
        identity={{ href: prefix, title: 'Perennial', logo: { src: `${prefix}favicon.svg`, alt: 'Perennial' } }}
        utilities={[
          { type: 'button', text: fresh.text, title: fresh.title, ariaLabel: `${fresh.text.slice(2)}: ${fresh.title}`, disableUtilityCollapse: true },
          {
            type: 'menu-dropdown', text: themes[theme], iconName: 'settings', ariaLabel: `Appearance: ${themes[theme]}`,
            items: Object.entries(themes).map(([id, text]) => ({ id, text })),
            onItemClick: (e) => chooseTheme(e.detail.id as Choice),
          },
          {
            type: 'menu-dropdown', text: me.name, description: me.roles.join(', '), iconName: 'user-profile', ariaLabel: `Account of ${me.name}`,
            items: [
              { id: 'account', text: 'Password' },
              { id: 'version', text: `Version ${config.data?.version ?? '…'} (${config.data?.mode ?? '…'})`, disabled: true },
              { id: 'out', text: 'Sign out' },
            ],
            onItemClick: (e) => pick(e.detail.id),
          },
        ]}
      />
    </div>
  )
}
