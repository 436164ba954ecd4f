import { describe, expect, test } from 'vitest'
import { withServer } from '../support/servers/installed.ts'
import { chromium } from './chromium.ts'
import { stage, type Stage } from './stage.ts'

const watched = { effects: { everyMs: 100, orphanedAfterMs: 1 } }

/** Two effects that are dead, of a kind that this process handles. */
async function withDead({ logs }: Stage): Promise<{ mend: () => void; delivered: string[] }> {
  const { tidemark: db } = logs
  let isMended = false
  const delivered: string[] = []
  await db.effects.handle('embed', async (effects) =>
    effects.map(({ key = '' }) => {
      if (!isMended) return { kind: 'dead', error: new Error('no model') }
      delivered.push(key)
      return undefined
    }),
  )
  for (const key of ['a', 'b']) await db.enqueue({ kind: 'embed', key, payload: { text: `of ${key}` } })
  await expect.poll(async () => (await db.effects.deadLetters()).length).toBe(2)
  return { mend: () => void (isMended = true), delivered }
}

await withServer(chromium, (browser) => {
  describe('dashboard · effects', () => {
    test('a server without any has no view of them; asked for it all the same, it says so', async () => {
      const { url } = await stage()
      const visit = await browser.visit(url)
      await visit.expectText('.status', 'Live')
      expect(await visit.page.getByRole('link', { name: 'Effects' }).count()).toBe(0)
      await visit.page.keyboard.press('g')
      await visit.page.keyboard.press('e')
      await visit.expectText('h2', 'No effects.')
      visit.expectNoComplaints()
    })

    test('each kind says how it is; what nobody handles is an alert on the overview, too', async () => {
      const at = await stage(watched)
      await withDead(at)
      await at.logs.tidemark.enqueue({ kind: 'index/all', key: null })
      const visit = await browser.visit(at.url)
      await visit.expectText(
        '.alerts',
        /Effects of kind "index\/all" wait, and nobody handles them: 1\s+for \d/,
      )
      await visit.expectText('.views .badge', '2')
      await visit.page.getByRole('link', { name: 'Effects' }).click()
      await visit.expectText('.kinds tr', /embed\s*Up to date/)
      await visit.expectText('.kinds tr', /index\/all\s*Nobody handles it\s*1/)
      await visit.page.getByRole('link', { name: 'index/all' }).click()
      await visit.expectText('.kind', 'How far is the target behind?')
      await visit.expectText('.kind .readout', /1\s*waiting/)
      await visit.expectText('.kind-dead', 'None: every effect of this kind is delivered, or on its way.')
      // A link shows another person the same.
      const other = await browser.visit(visit.page.url())
      await other.expectText('#kind-title', 'index/all')
      visit.expectNoComplaints()
    })

    test('a kind is paused and resumed by a button', async () => {
      const at = await stage(watched)
      await withDead(at)
      const { effects } = at.logs.tidemark
      const visit = await browser.visit(`${at.url}/#/effects`)
      await visit.page.getByRole('button', { name: 'Pause embed' }).click()
      await visit.expectText('.state', 'Paused')
      await expect.poll(async () => (await effects.stats('embed')).isPaused).toBe(true)
      await visit.page.getByRole('button', { name: 'Resume embed' }).click()
      await visit.expectText('.state', 'Up to date')
      expect((await effects.stats('embed')).isPaused).toBe(false)
      visit.expectNoComplaints()
    })

    test('that a kind may not be paused stays said while the page asks again, until the view is left', async () => {
      const reader = { name: 'reader', token: 'reader-0123456789abcdef', scopes: ['read'] } as const
      const at = await stage({ ...watched, tokens: [reader] })
      await withDead(at)
      const visit = await browser.visit(`${at.url}/#/effects`)
      const { page } = visit
      await page.getByLabel('Token', { exact: true }).fill(reader.token)
      await page.keyboard.press('Enter')
      await page.getByRole('button', { name: 'Pause embed' }).click()
      await visit.expectText('.problem', 'has no scope "admin"')
      // It is shown by a look that began after that.
      await at.logs.tidemark.enqueue({ kind: 'index', key: null })
      await visit.expectText('.kinds tr', 'index')
      expect(await page.locator('.problem').allTextContents()).toEqual([
        expect.stringContaining('has no scope "admin"'),
      ])
      expect((await at.logs.tidemark.effects.stats('embed')).isPaused).toBe(false)
      await page.getByRole('link', { name: 'Overview' }).click()
      await page.getByRole('link', { name: 'Effects' }).click()
      await visit.expectText('.kinds tr', 'embed')
      expect(await page.locator('.problem').count()).toBe(0)
      visit.expectNoComplaints(/status of 40[13]/)
    })

    test('dead effects are read, redriven and discarded, each after a question', async () => {
      const at = await stage(watched)
      const { mend, delivered } = await withDead(at)
      const visit = await browser.visit(`${at.url}/#/effects?kind=embed`)
      const { page } = visit
      await visit.expectText('.letter-message', 'Error: no model')
      await page.getByRole('button', { name: 'Show content' }).first().click()
      await visit.expectText('.letter-content', /"of a"/)
      expect(await page.getByRole('button', { name: 'Redrive' }).isDisabled()).toBe(true)

      mend()
      await page.locator('.letters .choice input').nth(1).check()
      await page.getByRole('button', { name: 'Redrive 1' }).click()
      await page.getByRole('dialog').getByRole('button', { name: 'Leave' }).click()
      expect(await at.logs.tidemark.effects.deadLetters()).toHaveLength(2)
      await page.getByRole('button', { name: 'Redrive 1' }).click()
      await page.getByRole('dialog').getByRole('button', { name: 'Redrive' }).click()
      await visit.expectText('.outcome', '1 to be tried again.')
      await expect.poll(() => delivered).toEqual(['a'])
      await expect.poll(() => page.locator('.effect-key').allTextContents()).toEqual(['b'])

      await page.getByRole('checkbox', { name: 'All dead effects' }).check()
      await page.getByRole('button', { name: 'Discard 1' }).click()
      await page.getByRole('dialog').getByRole('button', { name: 'Discard' }).click()
      await visit.expectText('.outcome', '1 discarded.')
      await visit.expectText('.kind-dead', 'None: every effect')
      expect(await at.logs.tidemark.effects.deadLetters()).toEqual([])
      visit.expectNoComplaints()
    })
  })
})
