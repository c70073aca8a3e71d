export interface Turn {
  role: string
  text: string
}

const isMessage = (m: unknown): m is { role: string; content: string } =>
  typeof m === 'object' && m !== null && 'role' in m && 'content' in m

/** A row as turns of a talk, whatever its schema: messages, prompt and completion, text, or its JSON. */
export function turns(row: Record<string, unknown>): Turn[] {
  if (Array.isArray(row.messages)) return row.messages.filter(isMessage).map((m) => ({ role: m.role, text: m.content }))
  if (typeof row.prompt === 'string') return [{ role: 'user', text: row.prompt }, { role: 'assistant', text: String(row.completion ?? '') }]
  if (typeof row.text === 'string') return [{ role: 'text', text: row.text }]
  return [{ role: 'row', text: JSON.stringify(row) }]
}
