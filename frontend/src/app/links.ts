import type { AnyRouter } from '@tanstack/react-router'
import { prefix } from '../lib/base'

/** Whether a click on a link stays inside the app: ours by address, and not meant for another tab or a download. */
export function staysInside(link: HTMLAnchorElement, click: Pick<MouseEvent, 'button' | 'metaKey' | 'ctrlKey' | 'shiftKey' | 'altKey'>): boolean {
  if (click.button !== 0 || click.metaKey || click.ctrlKey || click.shiftKey || click.altKey) return false
  if (link.target === '_blank' || link.hasAttribute('download') || link.origin !== location.origin) return false
  return link.pathname.startsWith(prefix) && !link.pathname.startsWith(`${prefix}v1/`)
}

/** Lets every real link, also those of the component library, go through the router. */
export function followLinks(router: AnyRouter): void {
  document.addEventListener('click', (click) => {
    const link = (click.target as Element | null)?.closest?.('a[href]')
    if (!(link instanceof HTMLAnchorElement) || link.getAttribute('href')?.startsWith('#')) return
    if (click.defaultPrevented || !staysInside(link, click)) return
    click.preventDefault()
    router.history.push(link.pathname + link.search + link.hash)
  })
}
