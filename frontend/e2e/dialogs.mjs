// What opens over a page: its name, the route's name it lies on, and the buttons that lead there.
export const dialogs = [
  ['add-dataset', 'data', 'Add dataset'], ['add-model', 'models', 'Add model'], ['start-training', 'runs', 'Start training'],
  ['retract', 'dataset-version', 'Retract'], ['import-version', 'model', 'Import version'], ['request-release', 'deployment', 'Request release'],
  ['hold', 'deployment', 'Hold a version'], ['release-hold', 'deployment', /^Release the hold/], ['challenger', 'model-version', 'Make challenger'],
  ['publish', 'ingestion-quarantined', 'Publish valid rows'], ['discard', 'ingestion-quarantined', 'Discard'],
  ['cancel-run', 'run-training', 'Cancel run'], ['abort-release', 'release-pendingapproval', 'Abort release'],
  ['add-user', 'settings-users', 'Add user'], ['roles', 'settings-users', /^Change roles of/], ['reset-password', 'settings-users', /^Reset password of/],
  ['disable-user', 'settings-users', /^Disable/], ['make-key', 'settings-keys', 'Make key'], ['revoke-key', 'settings-keys', /^Revoke/],
  ['account-menu', 'home', /^Account of/], ['theme-menu', 'home', /^Appearance/], ['steps-table', 'run-judged', 'Table'],
  ['audit-verified', 'settings-audit', 'Verify the chain'],
]

/** Opens it, if the page offers it; tells whether it did. */
export async function openDialog(page, button) {
  const opener = page.getByRole('button', { name: button, exact: typeof button === 'string' }).first()
  if ((await opener.count()) === 0 || (await opener.isDisabled())) return false
  await opener.click()
  await page.waitForTimeout(500)
  return true
}
