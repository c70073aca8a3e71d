import { useQuery } from '@tanstack/react-query'
import { observe } from '../../data/observe'
import { prefix } from '../../lib/base'
import { paths } from '../../lib/paths'
import { Badge, SideNavigation } from '../../ui'

const sections: [first: string, href: string][] = [
  ['', paths.home()], ['data', paths.data()], ['ingestions', paths.data()], ['models', paths.models()], ['runs', paths.runs()],
  ['lineage', paths.lineage()], ['benchmarks', paths.benchmarks()], ['deployment', paths.deployment()],
  ['releases', paths.releases()], ['approvals', paths.approvals()], ['monitoring', paths.monitoring()], ['settings', paths.settings()],
]

/** The entry of the navigation that a page belongs to. */
export function activeHref(pathname: string): string {
  const first = pathname.startsWith(prefix) ? pathname.slice(prefix.length).split('/')[0] : pathname.split('/')[1]
  return sections.find(([name]) => name === (first ?? ''))?.[1] ?? ''
}

/** The main navigation, fixed by the product: the parts of Models and Deployment are one level below. */
export function Navigation({ pathname }: { pathname: string }) {
  const overview = useQuery(observe.overview())
  const waiting = overview.data?.needsMe.filter((n) => n.kind === 'approval').length ?? 0
  const link = (text: string, href: string, count = 0) =>
    ({ type: 'link' as const, text, href, info: count > 0 ? <Badge color="red">{count}</Badge> : undefined })
  return (
    <SideNavigation
      activeHref={activeHref(pathname)}
      items={[
        link('Home', paths.home()),
        link('Data', paths.data()),
        { type: 'link-group', text: 'Models', href: paths.models(), items: [link('Training runs', paths.runs()), link('Lineage', paths.lineage())] },
        link('Benchmarks', paths.benchmarks()),
        { type: 'link-group', text: 'Deployment', href: paths.deployment(), items: [link('Releases', paths.releases()), link('Approvals', paths.approvals(), waiting)] },
        link('Monitoring', paths.monitoring()),
        link('Settings', paths.settings()),
      ]}
    />
  )
}
