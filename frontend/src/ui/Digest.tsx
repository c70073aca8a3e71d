import { digest } from '../lib/format'
import { Copy } from './Copy'

/** The first digits of a digest, whole on hover and to copy. */
export function Digest({ value, copy = false }: { value: string | undefined; copy?: boolean }) {
  if (!value) return <>—</>
  const text = <code className="digest" title={value}>{digest(value)}</code>
  if (!copy) return text
  return (
    <span className="nowrap">
      {text}{' '}
      <Copy text={value} about={`Copy digest ${digest(value)}`} />
    </span>
  )
}
