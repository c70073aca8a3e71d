import CopyToClipboard from '@cloudscape-design/components/copy-to-clipboard'

/** A button that copies a text; `about` says what it does. */
export const Copy = ({ text, about }: { text: string; about: string }) =>
  <CopyToClipboard variant="icon" textToCopy={text} copyButtonAriaLabel={about} copySuccessText="Copied" copyErrorText="The browser refused to copy" />
