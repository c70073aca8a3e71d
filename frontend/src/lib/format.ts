const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto', style: 'short' })
const absolute = new Intl.DateTimeFormat('en-GB', {
  year: 'numeric', month: 'short', day: '2-digit', hour: '2-digit', minute: '2-digit', second: '2-digit', timeZoneName: 'short',
})
const compact = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 })
const whole = new Intl.NumberFormat('en')

const steps: [Intl.RelativeTimeFormatUnit, number][] = [
  ['day', 86_400_000], ['hour', 3_600_000], ['minute', 60_000], ['second', 1000],
]

/** "3 min. ago"; "now" within five seconds. */
export function ago(time: string | Date, now: number): string {
  const diff = new Date(time).getTime() - now
  if (Math.abs(diff) < 5000) return 'now'
  for (const [unit, ms] of steps) {
    if (Math.abs(diff) >= ms) return relative.format(Math.round(diff / ms), unit)
  }
  return 'now'
}

export const exact = (time: string | Date): string => absolute.format(new Date(time))

/** "1 h 04 min", "3 min 20 s", "12 s", "0.4 s". */
export function duration(ms: number): string {
  const s = ms / 1000
  if (s < 10) return `${s.toFixed(1)} s`
  if (s < 60) return `${Math.round(s)} s`
  const min = Math.floor(s / 60)
  if (min < 60) return `${min} min ${String(Math.floor(s % 60)).padStart(2, '0')} s`
  return `${Math.floor(min / 60)} h ${String(min % 60).padStart(2, '0')} min`
}

export function bytes(n: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  let i = 0
  for (; n >= 1024 && i < units.length - 1; i++) n /= 1024
  return `${i === 0 || n >= 100 ? Math.round(n) : n.toFixed(1)} ${units[i]}`
}

export const count = (n: number): string => whole.format(n)
export const short = (n: number): string => (Math.abs(n) < 10_000 ? whole.format(n) : compact.format(n))
export const plural = (n: number, one: string, many = `${one}s`): string => `${whole.format(n)} ${n === 1 ? one : many}`

/** A share of 1 as percent: 0.125 is "12.5 %". */
export const percent = (share: number, digits = 1): string => `${(share * 100).toFixed(digits)} %`

/** A difference of shares in points, signed with a true minus: −0.012 is "−1.2". */
export function points(delta: number, digits = 1): string {
  const text = Math.abs(delta * 100).toFixed(digits)
  if (Number(text) === 0) return text
  return delta < 0 ? `−${text}` : `+${text}`
}

/** The first twelve hexadecimal digits, which people compare. */
export const digest = (d: string | undefined): string => (d ? d.replace(/^sha256:/, '').slice(0, 12) : '—')

/** "not-a-number" free metric values: 0.0431, 12.3, 1.2e-7. */
export function metric(v: number): string {
  if (v === 0) return '0'
  const a = Math.abs(v)
  if (a < 0.001 || a >= 1e6) return v.toExponential(2)
  return String(Number(v.toPrecision(4)))
}

/** "datasetVersionPublished" and "DatasetVersionPublished" read as "Dataset version published". */
export function words(pascal: string): string {
  const spaced = pascal.replace(/([a-z0-9])([A-Z])/g, '$1 $2').toLowerCase()
  return spaced.charAt(0).toUpperCase() + spaced.slice(1)
}
