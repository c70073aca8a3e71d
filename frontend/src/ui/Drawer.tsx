import { useEffect, useId, useRef, type ReactNode } from 'react'
import Button from '@cloudscape-design/components/button'

interface Props {
  title: string
  onClose: () => void
  footer: ReactNode
  children: ReactNode
}

/** A panel at the right edge over the page. The native dialog keeps the focus inside and closes on Escape. */
export function Drawer({ title, onClose, footer, children }: Props) {
  const ref = useRef<HTMLDialogElement>(null)
  const id = useId()
  useEffect(() => {
    const dialog = ref.current
    dialog?.showModal?.()
    return () => dialog?.close?.()
  }, [])
  return (
    <dialog ref={ref} className="drawer" aria-labelledby={id} onCancel={(e) => (e.preventDefault(), onClose())}>
      <header className="drawer-head">
        <h2 id={id}>{title}</h2>
        <Button variant="icon" iconName="close" ariaLabel="Close" onClick={onClose} />
      </header>
      <div className="drawer-body">{children}</div>
      <footer className="drawer-foot">{footer}</footer>
    </dialog>
  )
}
