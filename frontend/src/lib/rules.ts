import { words } from './format'

const known: Record<string, [title: string, hint: string]> = {
  'json.syntax': ['Not valid JSON', 'Every line is one JSON object.'],
  'row.schema': ['Not the form of a row', 'Chat messages with roles, or prompt and completion.'],
  'csv.columns': ['Wrong number of columns', 'Every line has as many as the head.'],
  'overlap.benchmark': ['Overlaps a benchmark item', 'Training on it would make the benchmark worthless.'],
  'duplicate.exact': ['Is there already', 'Exact duplicates are dropped; nothing to mend.'],
}

/** A rule of the admission as words: its own, or made of its name. */
export const ruleTitle = (rule: string): string => known[rule]?.[0] ?? words(rule.replace(/[._-]+/g, ' '))

export const ruleHint = (rule: string): string | undefined => known[rule]?.[1]
