import type { Comparison, Flip, GateReport, Verdict } from '../data/schema'
import { digestOf } from './clock'

function comparison(name: string, old: number, next: number, n: number, half: number, flips: [number, number], verdict: Verdict, reason: string): Comparison {
  const delta = next - old
  return {
    name, oldMean: old, newMean: next, delta, ci95: { low: delta - half, high: delta + half }, lower: delta - half * 0.84, upper: delta + half * 0.84,
    n, gained: flips[0], forgotten: flips[1], flipRate: (flips[0] + flips[1]) / n, mde: half * 1.45, margin: 0.03,
    test: 'paired t', p: 0.03, adjustedP: 0.06, verdict, reason,
  }
}

const flip = (benchmark: string, item: string, capability: string, prompt: string, target: string, oldOutput: string, newOutput: string, won: boolean): Flip => ({
  benchmark, item, capability, prompt, target, oldOutput, newOutput, oldScore: won ? 0 : 1, newScore: won ? 1 : 0,
})

const forgotten: Flip[] = [
  flip('general', 'gen-014', 'reasoning', 'A train leaves at 14:05 and arrives at 16:20. How long does it travel?', '2 hours 15 minutes', 'The train travels for 2 hours and 15 minutes.', 'The train travels for 2 hours and 25 minutes.', false),
  flip('general', 'gen-031', 'knowledge', 'Which gas do plants take in for photosynthesis?', 'carbon dioxide', 'Plants take in carbon dioxide.', 'Plants take in oxygen and light.', false),
  flip('format', 'fmt-007', 'format', 'Answer in JSON with the keys city and country: Paris.', '{"city":"Paris","country":"France"}', '{"city":"Paris","country":"France"}', 'The city is Paris and the country is France.', false),
]
const gained: Flip[] = [
  flip('company', 'com-001', 'company', 'What is the return window of the Northwind store?', '45 days', 'You can return products within 30 days.', 'You can return products within 45 days of delivery.', true),
  flip('company', 'com-002', 'company', 'Which port does the Aurora gateway listen on?', '8443', 'The Aurora gateway listens on port 443.', 'The Aurora gateway listens on port 8443.', true),
  flip('company', 'com-006', 'company', 'Who signs off a refund above 500 euros?', 'the shift lead', 'A manager signs it off.', 'The shift lead signs off refunds above 500 euros.', true),
  flip('company', 'com-011', 'company', 'How long is the warranty of a Fjord kettle?', '5 years', 'Two years.', 'The Fjord kettle has a warranty of 5 years.', true),
]

const pooled = comparison('pooled', 0.612, 0.668, 240, 0.024, [21, 8], 'PASS', 'no loss larger than 3.0 points is left possible')

export const report: GateReport = {
  schema: 'gate-report/v1', verdict: 'PASS', decidingRule: 'all',
  summary: 'The candidate answers 5.6 points better than version 13 and loses no more than 0.9 points anywhere that was measured.',
  reasons: ['company questions gain 38.5 points', 'no capability loses more than its margin', 'all 12 golden items pass'],
  rules: [
    { name: 'data', verdict: 'PASS', applied: true, reason: '240 of 240 items are paired, 0 errors' },
    { name: 'golden', verdict: 'PASS', applied: true, reason: '12 of 12 golden items pass, none flipped' },
    { name: 'pooled non-inferiority', verdict: 'PASS', applied: true, reason: 'lower bound +3.6 points, margin −3.0' },
    { name: 'capabilities', verdict: 'PASS', applied: true, reason: 'worst lower bound −2.8 (reasoning), margin −3.0' },
    { name: 'benchmark regressions', verdict: 'PASS', applied: true, reason: 'no benchmark is worse after correction (smallest p 0.21)' },
    { name: 'target gain', verdict: 'PASS', applied: true, reason: 'company gains 38.5 points, 10.0 wanted' },
    { name: 'contamination', verdict: 'PASS', applied: true, reason: '1 item was found in training data and is left out' },
    { name: 'latency', verdict: 'INCONCLUSIVE', applied: false, reason: 'not measured' },
  ],
  pooled,
  capabilities: [
    comparison('company', 0.231, 0.616, 52, 0.081, [20, 0], 'PASS', 'better'),
    comparison('knowledge', 0.702, 0.698, 80, 0.016, [1, 2], 'PASS', 'no loss over the margin'),
    comparison('reasoning', 0.553, 0.548, 60, 0.023, [0, 3], 'PASS', 'no loss over the margin'),
    comparison('format', 0.931, 0.9, 48, 0.052, [0, 3], 'INCONCLUSIVE', 'too few items to rule out a loss of 3 points'),
  ],
  benchmarks: [
    comparison('company', 0.231, 0.616, 52, 0.081, [20, 0], 'PASS', 'better'),
    comparison('general', 0.63, 0.626, 140, 0.014, [1, 5], 'PASS', 'no loss over the margin'),
    comparison('format', 0.931, 0.9, 48, 0.052, [0, 3], 'INCONCLUSIVE', 'too few items'),
  ],
  targets: [comparison('company', 0.231, 0.616, 52, 0.081, [20, 0], 'PASS', 'gains 38.5 points, 10.0 wanted')],
  golden: { items: 12, passed: 12, negativeFlips: 0, unscored: 0, failed: [] },
  flips: { negative: 8, positive: 21, negativeRate: 8 / 240, positiveRate: 21 / 240, aaFloor: 0.004 },
  forgotten, gained,
  pairing: { incumbent: 240, candidate: 240, paired: 240, unpaired: 0, unpairedShare: 0, unpairedItems: [], incumbentErrors: 0, candidateErrors: 0, errorShare: 0 },
  contamination: { items: 1, share: 0.004, excluded: true, allItems: pooled },
  forgetting: { bwt: -0.006, benchmarks: { general: 0.004, format: 0.031 }, versions: 5 },
  speed: { latencyP95OldMs: 812, latencyP95NewMs: 826, tokensOld: 31.2, tokensNew: 30.4, ttftP95Ratio: 0, tpotP95Ratio: 0, costRatio: 0 },
  digests: { candidate: digestOf('v14'), incumbent: digestOf('v13'), dataset: digestOf('support4'), policy: digestOf('policy'), environment: 'production', locks: { company: digestOf('company'), general: digestOf('general'), format: digestOf('format') } },
  policy: { name: 'standard', pooled: { margin: 0.03, alpha: 0.05 }, golden: { negativeFlips: 0 } },
}
