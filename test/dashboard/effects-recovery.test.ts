import { describe, expect, test } from 'vitest'
import { withServer } from '../support/servers/installed.ts'
import { chromium } from './chromium.ts'
import { stage, type Stage } from './stage.ts'

const watched = { effects: { everyMs: 100 } }
/** Each entry should have an effect; there are no others. */
const recover = {
  embed: {
    missing: { sql: 'SELECT id AS key FROM logs ORDER BY id', parameters: [] },
    existing: () => ({ sql: 'SELECT id AS key FROM logs', parameters: [] }),
  },
}

/** Effects of these keys that are dead, of a kind that nobody handles any more. */
async function withDead({ logs }: Stage, ...keys: number[]): Promise<void> {
  const { effects } = logs.tidemark
  const handling = await effects.handle('embed', async (some) =>
    some.map(() => ({ kind: 'dead', error: new Error('no model') })),
  )
  await logs.tidemark.enqueue(...keys.map((key) => ({ kind: 'embed', key })))
  await expect.poll(async () => (await effects.deadLetters()).length).toBe(keys.length)
  await handling.stop()
}

await withServer(chromium, (browser) => {
  describe('dashboard · recovery of effects', () => {
    test('what lacks its effect is told first, and enqueued once that is confirmed; orphans go', async () => {
      const at = await stage({ ...watched, recover })
      const { effects } = at.logs.tidemark
      await at.store('one', 'two', 'three')
      await withDead(at, 3, 77)
      const visit = await browser.visit(`${at.url}/#/effects`)
      const { page } = visit
      const dialog = page.getByRole('dialog')
      await page.getByRole('button', { name: 'Recover embed' }).click()
      await visit.expectText('dialog h2', 'Recover embed?')
      expect(await dialog.locator('dd').allTextContents()).toEqual(['2', '0', '1', '1'])
      await dialog.getByRole('button', { name: 'Leave' }).click()
      await dialog.waitFor({ state: 'detached' })
      expect(await effects.stats('embed')).toMatchObject({ queued: 0, dead: 2 })

      await page.getByRole('button', { name: 'Recover embed' }).click()
      await dialog.getByRole('button', { name: 'Enqueue 2 and discard 1' }).click()
      await visit.expectText('.outcome', '2 enqueued, 1 discarded.')
      expect(await effects.stats('embed')).toMatchObject({ queued: 2, dead: 1 })

      await page.getByRole('button', { name: 'Recover embed' }).click()
      await visit.expectText('dialog p', 'There is nothing to do here.')
      expect(await dialog.locator('dd').allTextContents()).toEqual(['0', '2', '1', '0'])
      expect(await dialog.locator('.primary').count()).toBe(0)
      await page.keyboard.press('Escape')
      await dialog.waitFor({ state: 'detached' })
      expect(await effects.stats('embed')).toMatchObject({ queued: 2, dead: 1 })
      visit.expectNoComplaints()
    })

    test('it is offered for a kind that nobody has handled yet, and not for one that the server cannot recover', async () => {
      const at = await stage({ ...watched, recover })
      await at.store('one')
      const visit = await browser.visit(at.url)
      await visit.page.getByRole('link', { name: 'Effects' }).click()
      await visit.expectText('.kinds tr', /embed\s*Nobody handles it/)
      await at.logs.tidemark.enqueue({ kind: 'other', key: null })
      await visit.page.getByRole('button', { name: 'Pause other' }).waitFor()
      expect(await visit.page.getByRole('button', { name: 'Recover' }).count()).toBe(1)
      await visit.page.getByRole('button', { name: 'Recover embed' }).click()
      await visit.page.getByRole('dialog').getByRole('button', { name: 'Enqueue 1' }).click()
      await visit.expectText('.outcome', '1 enqueued, 0 discarded.')
      visit.expectNoComplaints()
    })

    test('a token that may only read recovers nothing, and is told so; as is a query that does not do', async () => {
      const reader = { name: 'reader', token: 'reader-0123456789abcdef', scopes: ['read'] } as const
      const admin = { name: 'admin', token: 'admin-0123456789abcdef', scopes: ['read', 'admin'] } as const
      const broken = { embed: { missing: { sql: 'SELECT absent FROM logs', parameters: [] } } }
      const at = await stage({ ...watched, recover: broken, tokens: [reader, admin] })
      for (const [{ token }, problem] of [
        [reader, 'has no scope "admin"'],
        [admin, 'cannot be run: no such column: absent'],
      ] as const) {
        const visit = await browser.visit(`${at.url}/#/effects`)
        await visit.page.getByLabel('Token', { exact: true }).fill(token)
        await visit.page.keyboard.press('Enter')
        await visit.page.getByRole('button', { name: 'Recover embed' }).click()
        await visit.expectText('.problem', problem)
        expect(await visit.page.getByRole('dialog').count()).toBe(0)
        visit.expectNoComplaints(/status of 4(?:01|03|22)/)
      }
    })
  })
})
