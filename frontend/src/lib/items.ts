import type { BenchmarkItem } from '../data/schema'

/** What a model is asked: the input, or the messages joined by newlines, with the choices below. */
export function question(item: Pick<BenchmarkItem, 'input' | 'messages' | 'choices'>): string {
  const text = item.input || (item.messages ?? []).map((m) => m.content).join('\n')
  const choices = (item.choices ?? []).map((c) => `○ ${c}`)
  return [text, ...choices].join('\n')
}
