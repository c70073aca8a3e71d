import { useEffect, type ReactNode } from 'react'
import Breadcrumbs from '@cloudscape-design/components/breadcrumb-group'
import Header from '@cloudscape-design/components/header'
import Stack from '@cloudscape-design/components/space-between'

interface Props {
  title: string
  trail?: [text: string, href: string][]
  description?: ReactNode
  actions?: ReactNode
  info?: ReactNode
  children: ReactNode
}

/** A screen: where it is, its name, what one can do, and its parts. */
export function Page({ title, trail = [], description, actions, info, children }: Props) {
  useEffect(() => {
    document.title = `${title} · Perennial`
  }, [title])
  const items = [...trail.map(([text, href]) => ({ text, href })), { text: title, href: '#' }]
  return (
    <div className="page">
      {trail.length > 0 && <Breadcrumbs key={title} items={items} ariaLabel="Where you are" />}
      <Stack size="l">
        <Header variant="h1" description={description} actions={actions} info={info}>{title}</Header>
        {children}
      </Stack>
    </div>
  )
}
