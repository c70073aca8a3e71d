import { expect, test } from 'vitest'
import { scheduleFault } from './schedule'

test.each(['', 'rate(1 day)', 'rate(12 hours)', 'cron(0 3 ? * MON *)'])('“%s” is a schedule', (s) => expect(scheduleFault(s)).toBeUndefined())
test.each(['daily', 'rate(0 days)', 'rate(1 week)', 'cron(0 3 * * *)', 'cron()'])('“%s” is none', (s) => expect(scheduleFault(s)).toBeTruthy())
