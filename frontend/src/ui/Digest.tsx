import Copy from '@cloudscape-design/components/copy-to-clipboard'
import { digest } from '../lib/format'

/** The first digits of a digest, whole on hover and to copy. */
export function Digest({ value, copy = false }: { value: string | undefined; copy?: boolean }) {
  if (!value) return <>—</>
  const text = <code className="digest" title={value}>{digest(value)}</code>
  if (!copy) return text
  return (
    <span className="nowrap">
      {text}{' '}
      <Copy variant="icon" textToCopy={value} copyButtonAriaLabel={`Copy digest ${digest(value)}`} copySuccessText="Copied" copyErrorText="The browser refused to copy" />
    </span>
  )
}
