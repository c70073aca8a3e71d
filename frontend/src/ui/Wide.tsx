import type { ReactNode } from 'react'

/** Room for something wider than the page: it scrolls sideways, with the keyboard too. */
export function Wide({ label, children }: { label: string; children: ReactNode }) {
  return <div className="scroll-x" role="group" aria-label={label} tabIndex={0}>{children}</div>
}
