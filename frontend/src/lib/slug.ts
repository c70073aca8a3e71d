/** What is wrong with an id that people choose; the same rule as the API's. */
export function slugFault(id: string): string | undefined {
  if (id === '') return 'Give it an id.'
  if (/^[a-z][a-z0-9-]{1,38}[a-z0-9]$/.test(id)) return undefined
  if (id.length < 3 || id.length > 40) return 'From 3 to 40 characters.'
  return 'Lower-case letters, digits and hyphens; a letter first, no hyphen last.'
}
