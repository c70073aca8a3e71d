/** A run of words that is in both texts, only in the old or only in the new one. */
export interface Piece {
  kind: 'same' | 'old' | 'new'
  text: string
}

const tokens = (text: string): string[] => text.match(/\s+|[^\s]+/g) ?? []
const maxTokens = 600 // the table below is quadratic

/** Word differences by longest common subsequence; long texts are given whole. */
export function diffWords(old: string, next: string): Piece[] {
  const a = tokens(old)
  const b = tokens(next)
  if (a.length > maxTokens || b.length > maxTokens) return join([['old', old], ['new', next]])
  return join(walk(a, b, lengths(a, b)))
}

function lengths(a: string[], b: string[]): Uint16Array[] {
  const table = Array.from({ length: a.length + 1 }, () => new Uint16Array(b.length + 1))
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      table[i]![j] = a[i] === b[j] ? table[i + 1]![j + 1]! + 1 : Math.max(table[i + 1]![j]!, table[i]![j + 1]!)
    }
  }
  return table
}

function walk(a: string[], b: string[], table: Uint16Array[]): [Piece['kind'], string][] {
  const out: [Piece['kind'], string][] = []
  let i = 0
  let j = 0
  while (i < a.length && j < b.length) {
    if (a[i] === b[j]) {
      out.push(['same', a[i]!])
      i++
      j++
    } else if (table[i + 1]![j]! >= table[i]![j + 1]!) out.push(['old', a[i++]!])
    else out.push(['new', b[j++]!])
  }
  return [...out, ...a.slice(i).map((t) => ['old', t] as [Piece['kind'], string]), ...b.slice(j).map((t) => ['new', t] as [Piece['kind'], string])]
}

function join(parts: [Piece['kind'], string][]): Piece[] {
  const out: Piece[] = []
  for (const [kind, text] of parts) {
    const last = out.at(-1)
    if (last?.kind === kind) last.text += text
    else if (text) out.push({ kind, text })
  }
  return out
}
