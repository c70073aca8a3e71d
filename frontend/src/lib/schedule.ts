/** What is visibly wrong with a schedule; the server checks the rest. */
export function scheduleFault(text: string): string | undefined {
  const s = text.trim()
  if (s === '') return undefined
  if (/^rate\(\s*[1-9]\d*\s+(minute|hour|day)s?\s*\)$/.test(s)) return undefined
  const cron = /^cron\((.*)\)$/.exec(s)
  if (!cron) return 'Write cron(…) or rate(…).'
  const fields = cron[1]!.trim().split(/\s+/)
  return fields.length === 6 ? undefined : `cron has six fields; these are ${fields.length}.`
}
