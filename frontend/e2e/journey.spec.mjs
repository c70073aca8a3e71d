// Upload → approve → roll back, as people do it, against a real platform.
import assert from 'node:assert/strict'
import { basename } from 'node:path'
import { test } from 'node:test'
import { axe, launch, openPage, settle, signIn } from './browser.mjs'
import { makeKey, traffic } from './gateway.mjs'

const base = process.env.E2E_URL.replace(/\/?$/, '/')
const { E2E_PASSWORD: password, E2E_ADMIN_PASSWORD: adminPassword, E2E_ARRIVAL: arrival } = process.env
const long = 8 * 60_000 // training with the tiny model takes seconds; a busy machine may take minutes

const get = (page, path) => page.evaluate(async (p) => (await fetch(new URL(`v1/${p}`, document.baseURI))).json(), path)

/** Waits for an answer of the API that satisfies; the page shows the same by itself. */
async function until(page, path, found, what) {
  const end = Date.now() + long
  for (;;) {
    const answer = await get(page, path)
    const hit = found(answer)
    if (hit) return hit
    assert.ok(Date.now() < end, `${what} did not happen: ${JSON.stringify(answer).slice(0, 600)}`)
    await page.waitForTimeout(1000)
  }
}

async function as(browser, user, secret) {
  const at = await openPage(browser)
  await signIn(at.page, base, user, secret)
  await settle(at.page)
  return at
}

const liveIn = (page, environment) => page.getByTestId(`live-${environment}`)

async function upload({ page, faults }) {
  await page.getByRole('link', { name: 'Upload data' }).click()
  await settle(page)
  assert.deepEqual(await axe(page), [], 'the Data page is accessible')
  const before = (await get(page, 'runs')).items.map((r) => r.id)
  await page.locator('input[type=file]').setInputFiles(arrival)
  await page.waitForURL(/\/ingestions\//)
  await page.getByRole('heading', { level: 1, name: basename(arrival) }).waitFor()
  const id = page.url().split('/').at(-1)
  const done = await until(page, `ingestions/${id}`, (i) => ['Quarantined', 'Published', 'Failed', 'Discarded'].includes(i.status) && i, 'the end of the checks')
  for (const { title } of done.errors) await page.getByText(title).first().waitFor()
  if (done.rejects) await page.getByRole('link', { name: /Download the rejected rows/ }).waitFor()
  if (done.status === 'Quarantined') await publish(page)
  await page.getByText(/rows became version/).waitFor({ timeout: 60_000 })
  assert.deepEqual(await faults(), [], 'no fault in the browser')
  return before
}

async function publish(page) {
  await page.getByRole('button', { name: 'Publish valid rows' }).click()
  await page.getByRole('textbox', { name: 'Reason' }).fill('the good rows are good')
  await page.getByRole('button', { name: 'Publish', exact: true }).click()
}

async function watchRun({ page }, before) {
  const run = await until(page, 'runs', (a) => a.items.find((r) => !before.includes(r.id)), 'a run that the data starts')
  await page.goto(`${base}runs/${run.id}`)
  await settle(page)
  const judged = await until(page, `runs/${run.id}`, (r) => ['Judged', 'Failed', 'Cancelled'].includes(r.status) && r, 'the verdict')
  assert.equal(judged.status, 'Judged', judged.error)
  await page.getByText('Judged', { exact: true }).first().waitFor()
  await until(page, `runs/${run.id}/steps`, (steps) => steps.items.every((step) => step.status === 'Succeeded'), 'every step to end')
  await page.getByRole('log').waitFor()
  await page.getByRole('table', { name: 'Last values' }).waitFor()
  return judged
}

async function askForRelease({ page }, run) {
  const known = (await get(page, 'releases')).items.find((r) => r.version === run.candidate)
  if (known) return known
  await page.goto(`${base}models/${run.model}/versions/${run.candidate}`)
  await settle(page)
  await page.getByRole('button', { name: 'Request release' }).click()
  await page.getByRole('textbox', { name: 'Reason' }).fill('it learned what arrived')
  if (run.verdict === 'FAIL') await page.getByRole('checkbox').check()
  await page.getByRole('dialog').getByRole('button', { name: 'Request release' }).click()
  await page.waitForURL(/\/releases\//)
  return get(page, `releases/${page.url().split('/').at(-1)}`)
}

async function refusedToRequester({ page }, approval) {
  await page.goto(`${base}approvals/${approval}`)
  await settle(page)
  await page.getByText('You cannot decide this').waitFor() // ana asked for it or has not the role; the page says which
  assert.equal(await page.getByRole('button', { name: 'Approve', exact: true }).count(), 0)
}

async function approve({ page }, approval) {
  await page.goto(`${base}approvals/${approval}`)
  await settle(page)
  await page.getByTestId('verdict').waitFor()
  await page.getByRole('button', { name: 'Approve', exact: true }).click()
  await page.getByText('Say why, in a few words.').waitFor() // a reason is required
  await page.getByRole('textbox', { name: 'Reason' }).fill('gains what it should, keeps what it knew')
  await page.getByRole('button', { name: 'Approve', exact: true }).click()
  await page.getByText(/Approved: version \d+ goes on its way/).waitFor()
}

async function rollBack({ page }, { model, candidate }, back) {
  await page.goto(`${base}deployment?model=${model}`)
  await settle(page)
  await page.getByRole('button', { name: 'Roll back production' }).click()
  await page.getByRole('button', { name: 'wrong answers' }).click()
  await page.getByRole('button', { name: /^Roll back to version/ }).click()
  await page.getByTestId('rollback-progress').getByText(/serves production/).waitFor({ timeout: 60_000 })
  await page.locator('.drawer-foot').getByRole('button', { name: 'Close' }).click()
  await liveIn(page, 'production').filter({ hasText: `version ${back}` }).waitFor()
  await page.getByRole('button', { name: `Release the hold on version ${candidate} in production` }).waitFor()
}

test('a file is uploaded, its version is approved and goes live, and one click goes back', { timeout: 14 * 60_000 }, async () => {
  const browser = await launch()
  try {
    const ana = await as(browser, 'ana', password)
    const before = await upload(ana)
    const run = await watchRun(ana, before)
    const release = await askForRelease(ana, run)
    await refusedToRequester(ana, release.approval)
    const admin = await as(browser, 'admin', adminPassword)
    const requests = traffic(base, await makeKey(admin.page))
    const ben = await as(browser, 'ben', password)
    const old = (await get(ben.page, `models/${run.model}/environments`)).items.find((e) => e.name === 'production').targets.find((t) => t.weight > 0)
    await approve(ben, release.approval)
    const ended = await until(ben.page, `releases/${release.id}`, (r) => !['PendingApproval', 'Progressing'].includes(r.phase) && r, 'the end of the release')
    assert.ok((await requests.stop()) > 0, 'the gateway answered')
    assert.equal(ended.phase, 'Succeeded', ended.error)
    await ben.page.goto(`${base}deployment?model=${run.model}`)
    await liveIn(ben.page, 'production').filter({ hasText: `version ${run.candidate}` }).waitFor()
    await rollBack(ben, run, old.version)
    for (const at of [ana, admin, ben]) assert.deepEqual(await at.faults(), [], 'no fault in the browser')
  } finally {
    await browser.close()
  }
})
