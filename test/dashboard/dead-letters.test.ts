import { describe, expect, test } from 'vitest'
import { sql } from 'kysely'
import { withServer } from '../support/servers/installed.ts'
import { chromium } from './chromium.ts'
import { stage, type Stage } from './stage.ts'

/** Two rows that a table refuses, and the way to mend the cause of the first. */
async function withRefusedRows({ logs }: Stage): Promise<{ mend: () => Promise<unknown> }> {
  const db = logs.tidemark
  const run = (text: string) => db.transaction(async (trx) => await sql.raw(text).execute(trx))
  await run('CREATE TABLE orders (id INTEGER PRIMARY KEY, total INTEGER CHECK (total >= 0))')
  await run('INSERT INTO orders VALUES (1, 10)')
  await db.reloadSchema()
  await Promise.allSettled([
    db.insert('orders', { id: 1, total: 20 }),
    db.insert('orders', { id: 2, total: -5 }),
  ])
  return { mend: () => run('DELETE FROM orders WHERE id = 1') }
}

await withServer(chromium, (browser) => {
  describe('dashboard · dead letters', () => {
    test('one whose cause was mended is redriven by mouse; one that is refused again stays, and says why', async () => {
      const at = await stage()
      const { mend } = await withRefusedRows(at)
      const visit = await browser.visit(at.url)
      const { page } = visit
      await visit.expectText('.views .badge', '2')
      await page.getByRole('link', { name: 'Dead letters' }).first().click()
      await visit.expectText('.letter-message', 'UNIQUE constraint failed: orders.id')
      await visit.expectText('.letter-message', 'CHECK constraint failed')
      await page.getByRole('button', { name: 'Show content' }).first().click()
      await visit.expectText('.letter-content', /"orders"/)

      expect(await page.getByRole('button', { name: 'Redrive' }).isDisabled()).toBe(true)
      await mend()
      await page.getByRole('checkbox', { name: 'All dead letters' }).check()
      await page.getByRole('button', { name: 'Redrive 2' }).click()
      await page.getByRole('dialog').getByRole('button', { name: 'Redrive' }).click()
      await visit.expectText('.outcome', /1 committed\.\s*1 refused again\..*CHECK constraint failed/s)
      await expect.poll(() => page.locator('.letter-id').allTextContents()).toEqual(['2'])
      await visit.expectText('.views .badge', '1')
      const { rows } = await at.logs.tidemark.query(
        { sql: 'SELECT total FROM orders', parameters: [] },
        'strong',
      )
      expect(rows).toEqual([{ total: 20 }])
      visit.expectNoComplaints()
    })

    test('a redrive that was not confirmed writes nothing', async () => {
      const at = await stage()
      const { mend } = await withRefusedRows(at)
      await mend()
      const visit = await browser.visit(`${at.url}/#/dead-letters`)
      await visit.page.getByRole('checkbox', { name: 'Dead letter 1' }).check()
      await visit.page.getByRole('button', { name: 'Redrive 1' }).click()
      await visit.page.getByRole('dialog').getByRole('button', { name: 'Leave' }).click()
      await visit.page.getByRole('button', { name: 'Redrive 1' }).click()
      await visit.page.getByRole('dialog').waitFor()
      await visit.page.keyboard.press('Escape')
      await visit.page.getByRole('dialog').waitFor({ state: 'detached' })
      expect(await at.logs.tidemark.deadLetters()).toHaveLength(2)
      visit.expectNoComplaints()
    })
  })
})
