import { expect, test } from 'vitest'
import { slugFault } from './slug'

test.each(['support', 'a-1', 'x'.repeat(40)])('%s is an id', (id) => expect(slugFault(id)).toBeUndefined())
test.each(['', 'ab', 'Support', '1st', 'a-', 'x'.repeat(41), 'a b'])('“%s” is none', (id) => expect(slugFault(id)).toBeTruthy())
