import { describe, expect, test } from 'vitest'
import { withServer } from '../support/servers/installed.ts'
import { chromium, type Visit } from './chromium.ts'
import { stage } from './stage.ts'

const phone = {
  viewport: { width: 360, height: 740 },
  isMobile: true,
  hasTouch: true,
  colorScheme: 'dark',
} as const

/** How far the page could be moved sideways, and the controls that a thumb would miss. */
async function troubles({ page }: Visit): Promise<unknown> {
  return await page.evaluate(`(() => {
    const sideways = [document.documentElement, ...document.querySelectorAll('main, .log-scroll, .entry-body, .entry-body *, .letter-content pre, dialog, dialog *')]
      .filter((element) => element.scrollWidth > element.clientWidth)
      .map((element) => element.className || element.tagName)
    const small = [...document.querySelectorAll('a, button, input:not([type=checkbox]), select, .choice')]
      .filter((element) => element.offsetParent !== null && !element.matches('.skip'))
      .filter((element) => element.getBoundingClientRect().height < 44)
      .map((element) => element.outerHTML.slice(0, 80))
    return { sideways, small }
  })()`)
}

await withServer(chromium, (browser) => {
  describe('dashboard · on a phone', () => {
    test('every view fits its width, and every control a thumb', async () => {
      const kind = `a-kind-with-a-rather-long-name-${'of-its-own-'.repeat(6)}`
      const missing = { sql: 'SELECT id AS key FROM logs', parameters: [] }
      const { url, logs, store } = await stage({ recover: { [kind]: { missing } } })
      await store('short', {
        message: `a word that nothing breaks: ${'x'.repeat(300)} and then some more of it`,
        level: 'error',
        service: 'a-service-with-a-rather-long-name-of-its-own',
        attributes: { path: `/${'deep/'.repeat(60)}`, nested: { list: ['y'.repeat(200)] } },
      })
      await Promise.allSettled([logs.tidemark.insert('logs', { id: 1, message: 'z'.repeat(400) })])
      await logs.tidemark.effects.handle(kind, async (effects) =>
        effects.map(() => ({ kind: 'dead', error: 'w'.repeat(400) })),
      )
      await logs.tidemark.enqueue({ kind, key: 'k'.repeat(100), payload: 'v'.repeat(400) })
      const visit = await browser.visit(url, phone)
      const fits = async (): Promise<void> =>
        expect(await troubles(visit)).toEqual({ sideways: [], small: [] })

      await visit.expectText('.status', 'Live')
      await visit.page.locator('.plot canvas').last().waitFor()
      await fits()
      await visit.page.getByRole('link', { name: 'Logs' }).tap()
      await visit.page.locator('.entry-head').first().tap()
      await visit.page.locator('.entry-body').waitFor()
      await fits()
      await visit.page.getByRole('link', { name: 'Dead letters' }).first().tap()
      await visit.page.getByRole('button', { name: 'Show content' }).tap()
      await visit.page.locator('.letter-content').waitFor()
      await fits()
      await visit.page.getByRole('link', { name: 'Effects' }).tap()
      await visit.page.getByRole('link', { name: 'a-kind-with' }).tap()
      await visit.page.getByRole('button', { name: 'Show content' }).tap()
      await visit.page.locator('.letter-content').waitFor()
      await fits()
      await visit.page.getByRole('button', { name: 'Recover' }).tap()
      await visit.expectText('dialog', 'Rows without an effect')
      await fits()
      await visit.page.getByRole('dialog').getByRole('button', { name: 'Enqueue' }).tap()
      await visit.expectText('.outcome', 'enqueued')
      await fits()
      visit.expectNoComplaints()
    })

    test('the first steps fit too', async () => {
      const { url } = await stage()
      const visit = await browser.visit(`${url}/#/logs`, phone)
      await visit.expectText('h2', 'No logs yet')
      expect(await troubles(visit)).toEqual({ sideways: [], small: [] })
      visit.expectNoComplaints()
    })
  })
})
