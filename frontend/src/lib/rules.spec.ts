import { expect, test } from 'vitest'
import { ruleHint, ruleTitle } from './rules'

test('known rules have words and a hint', () => expect([ruleTitle('overlap.benchmark'), ruleHint('overlap.benchmark')]).toEqual(['Overlaps a benchmark item', expect.any(String)]))
test('other rules read as their name', () => expect([ruleTitle('encoding.nul'), ruleHint('encoding.nul')]).toEqual(['Encoding nul', undefined]))
