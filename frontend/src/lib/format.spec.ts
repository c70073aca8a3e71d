import { describe, expect, test } from 'vitest'
import { ago, bytes, digest, duration, groupedRows, metric, minuses, percent, plural, points, sentence, short, shortDigests, words } from './format'

const now = Date.parse('2026-01-02T03:04:05Z')
const plain = (text: string) => text.replaceAll('\u00a0', ' ') // numbers keep their units on the line
const before = (ms: number) => new Date(now - ms)

describe('ago', () => {
  test.each([
    [1000, 'now'], [20_000, '20 s ago'], [100_000, '2 min ago'], [7_200_000, '2 h ago'], [86_400_000, 'yesterday'],
    [-7_200_000, 'in 2 h'],
  ])('%i ms before is %s', (ms, want) => expect(ago(before(ms), now)).toBe(want))
})

describe('numbers', () => {
  test.each([
    [0, 'under 1 ms'], [400, '400 ms'], [1400, '1.4 s'], [9970, '10 s'], [12_400, '12 s'], [59_700, '1 min'], [200_000, '3 min 20 s'], [3_840_000, '1 h 4 min'],
  ])(
    '%i ms lasts %s', (ms, want) => expect(plain(duration(ms))).toBe(want))
  test.each([[512, '512 B'], [2048, '2.0 KiB'], [300 * 1024 * 1024, '300 MiB']])(
    '%i bytes are %s', (n, want) => expect(plain(bytes(n))).toBe(want))
  test.each([[-0.012, '−1.2'], [0.5, '+50.0'], [0.0001, '0.0'], [-0.0001, '0.0']])(
    '%f is %s points', (n, want) => expect(points(n)).toBe(want))
  test.each([[0, '0'], [27134, '27,134'], [0.04312, '0.04312'], [1e-7, '≈\u00a00'], [-5.1e-8, '≈\u00a00'], [0.0001667, '0.00017'], [5.79e-6, '0.0000058'], [-0.5, '−0.5'], [237_783.4, '237,783'], [12.345, '12.35'], [5211.4, '5,211']])(
    'metric %f reads %s', (n, want) => expect(metric(n)).toBe(want))
  test('a share is a percent without a space', () => expect(percent(0.125)).toBe('12.5%'))
  test('large counts are short', () => expect([short(9999), short(1_234_567)]).toEqual(['9,999', '1.2M']))
  test('one row, two rows', () => expect([plural(1, 'row'), plural(2, 'row')]).toEqual(['1 row', '2 rows']))
})

test('numbers in a sentence have a true minus', () => expect(minuses('-3.6 points to 5 (-1), 2026-11')).toBe('−3.6 points to 5 (−1), 2026-11'))
test('rows in a sentence have separators', () => expect(groupedRows('12500 of 13000 rows of 2026')).toBe('12,500 of 13,000 rows of 2026'))
test('a digest shows its first twelve digits', () => {
  expect([digest(`sha256:${'ab'.repeat(32)}`), digest(undefined)]).toEqual(['abababababab', '—'])
})
test('a reason reads as a sentence', () => expect(['', 'it failed', 'Why?'].map(sentence)).toEqual(['', 'It failed.', 'Why?']))
test('digests inside a sentence are short', () => expect(shortDigests(`observed sha256:${'ab'.repeat(32)}.`)).toBe('observed abababababab.'))
test('event types become words', () => expect(words('DatasetVersionPublished')).toBe('Dataset version published'))
