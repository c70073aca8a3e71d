const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto', style: 'short' })
const absolute = new Intl.DateTimeFormat('en-GB', {
  year: 'numeric', month: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23', timeZoneName: 'short',
})
const compact = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 })
const whole = new Intl.NumberFormat('en')

const steps: [Intl.RelativeTimeFormatUnit, number][] = [
  ['day', 86_400_000], ['hour', 3_600_000], ['minute', 60_000], ['second', 1000],
]

/** Joins a number and its unit, which no line break may part. */
const unit = (n: number | string, name: string): string => `${n}\u00a0${name}`
const units: Record<string, string> = { 'hr.': 'h', 'min.': 'min', 'sec.': 's' }

/** "3 min ago"; "now" within five seconds. */
export function ago(time: string | Date, now: number): string {
  const diff = new Date(time).getTime() - now
  if (Math.abs(diff) < 5000) return 'now'
  for (const [step, ms] of steps) {
    if (Math.abs(diff) >= ms) return relative.format(Math.round(diff / ms), step).replace(/hr\.|min\.|sec\./, (long) => units[long]!)
  }
  return 'now'
}

export const exact = (time: string | Date): string => absolute.format(new Date(time))

/** How long something takes, everywhere: "1 h 4 min", "3 min 20 s", "12 s", "1.4 s", "400 ms". */
export function duration(ms: number): string {
  if (ms < 0.5) return `under ${unit(1, 'ms')}` // the clock is no finer
  if (ms < 999.5) return unit(Math.round(ms), 'ms')
  const s = Math.round(ms / 1000)
  if (s < 10) return unit((ms / 1000).toFixed(1), 's')
  if (s < 60) return unit(s, 's')
  const min = Math.floor(s / 60)
  if (min < 60) return two(unit(min, 'min'), s % 60, 's')
  return two(unit(Math.floor(min / 60), 'h'), min % 60, 'min')
}

const two = (first: string, n: number, name: string): string => (n === 0 ? first : `${first}\u00a0${unit(n, name)}`)

export function bytes(n: number): string {
  const names = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  let i = 0
  for (; n >= 1024 && i < names.length - 1; i++) n /= 1024
  return unit(i === 0 || n >= 100 ? Math.round(n) : n.toFixed(1), names[i]!)
}

export const count = (n: number): string => whole.format(n)
export const short = (n: number): string => (Math.abs(n) < 10_000 ? whole.format(n) : compact.format(n))
export const plural = (n: number, one: string, many = `${one}s`): string => `${whole.format(n)} ${n === 1 ? one : many}`

/** A sentence of the platform whose counts of rows and requests have separators: "12500 of 13000 rows" is "12,500 of 13,000 rows". */
export const groupedRows = (text: string): string => text.replace(/\b\d{4,}(?= (of|rows|new rows|requests)\b)/g, (n) => count(Number(n)))

/** A share of 1 as percent: 0.125 is "12.5%". */
export const percent = (share: number, digits = 1): string => `${(share * 100).toFixed(digits)}%`

/** A difference of shares in points, signed with a true minus: −0.012 is "−1.2". */
export function points(delta: number, digits = 1): string {
  const text = Math.abs(delta * 100).toFixed(digits)
  if (Number(text) === 0) return text
  return delta < 0 ? `−${text}` : `+${text}`
}

/** A sentence of the platform with true minuses: "-3.6 points" is "−3.6 points". */
export const minuses = (text: string): string => text.replace(/(^|[\s(])-(?=\d)/g, '$1−')

/** The same with a capital first. */
export const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)

/** A sentence as people write it: a capital first and a full stop last. */
export const sentence = (text: string): string =>
  (text === '' ? '' : capital(text) + (/[.!?…]$/.test(text) ? '' : '.'))

/** A sentence whose digests show the digits that people compare. */
export const shortDigests = (text: string): string => text.replace(/sha256:([0-9a-f]{12})[0-9a-f]{52}/g, '$1')

/** The first twelve hexadecimal digits, which people compare. */
export const digest = (d: string | undefined): string => (d ? d.replace(/^sha256:/, '').slice(0, 12) : '—')

/** Metric values with a true minus: 0.0431, 12.3, 5,211; "≈ 0" for what is too small to mean anything. */
export function metric(v: number): string {
  const a = Math.abs(v)
  if (!Number.isInteger(v) && a < 1e-6) return '≈\u00a00'
  return (v < 0 ? '−' : '') + size(a)
}

function size(a: number): string {
  if (Number.isInteger(a) || (a >= 1000 && a < 1e9)) return count(Math.round(a))
  return a >= 1e9 ? a.toExponential(2) : String(Number(a.toPrecision(a < 0.001 ? 2 : 4)))
}

/** "datasetVersionPublished" and "DatasetVersionPublished" read as "Dataset version published". */
export function words(pascal: string): string {
  const spaced = pascal.replace(/([a-z0-9])([A-Z])/g, '$1 $2').toLowerCase()
  return spaced.charAt(0).toUpperCase() + spaced.slice(1)
}
