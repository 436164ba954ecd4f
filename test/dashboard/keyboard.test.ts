import { describe, expect, test } from 'vitest'
import { withServer } from '../support/servers/installed.ts'
import { chromium } from './chromium.ts'
import { stage } from './stage.ts'

await withServer(chromium, (browser) => {
  describe('dashboard · the keyboard', () => {
    test('leads through all views, searches, walks the entries and opens them', async () => {
      const { url, store } = await stage()
      await store('alpha', 'beta', 'gamma')
      const visit = await browser.visit(url)
      const { keyboard } = visit.page
      const focused = (): Promise<string> =>
        visit.page.evaluate('document.activeElement?.textContent?.trim() ?? ""')
      await visit.expectText('.status', 'Live')

      await keyboard.press('g')
      await keyboard.press('l')
      await visit.expectMessages(['gamma', 'beta', 'alpha'])
      await keyboard.press('j')
      await expect.poll(focused).toContain('gamma')
      await keyboard.press('ArrowDown')
      await expect.poll(focused).toContain('beta')
      await keyboard.press('k')
      await expect.poll(focused).toContain('gamma')
      await keyboard.press('Enter')
      await visit.expectText('.is-open', 'gamma')
      await keyboard.press('Escape')
      await visit.page.locator('.entry-body').waitFor({ state: 'detached' })

      await keyboard.press('/')
      await expect.poll(() => visit.page.evaluate('document.activeElement?.id')).toBe('search')
      await keyboard.type('g d')
      await keyboard.press('Enter')
      await visit.expectText('.empty', 'Nothing is found for “g d”.')
      await keyboard.press('Escape')
      await keyboard.press('g')
      await keyboard.press('d')
      await visit.expectText('.glad', 'No dead letters')
      await keyboard.press('g')
      await keyboard.press('o')
      await visit.expectText('.figure', 'Committed')
      visit.expectNoComplaints()
    })

    test('pauses and resumes by space, also while an entry has the focus', async () => {
      const { url, store } = await stage()
      await store('one')
      const visit = await browser.visit(`${url}/#/logs`)
      await visit.expectMessages(['one'])
      await visit.isFollowing()
      await visit.page.keyboard.press('j')
      await visit.page.keyboard.press('Space')
      await visit.expectText('.tail-state', 'Paused')
      expect(await visit.page.locator('.entry-body').count()).toBe(0)
      await store('two')
      await visit.expectText('.new-entries', '1 new entry')
      await visit.page.keyboard.press('Space')
      await visit.expectMessages(['two', 'one'])
      visit.expectNoComplaints()
    })

    test('shows its keys by ?, closes by Escape, and gives the focus back', async () => {
      const { url } = await stage()
      const visit = await browser.visit(url)
      await visit.expectText('.status', 'Live')
      const keys = visit.page.getByRole('button', { name: 'Keys' })
      await keys.focus()
      await visit.page.keyboard.press('?')
      await visit.page.getByRole('dialog', { name: 'Keys' }).waitFor()
      await visit.page.keyboard.press('Escape')
      await visit.page.getByRole('dialog').waitFor({ state: 'detached' })
      expect(await visit.page.evaluate('document.activeElement.ariaLabel')).toBe('Keys')
      visit.expectNoComplaints()
    })

    test('reaches every control in sight by the tab key, and shows where it is', async () => {
      const { url, store } = await stage()
      await store('one', 'two')
      const visit = await browser.visit(`${url}/#/logs`)
      await visit.expectMessages(['two', 'one'])
      const outline = (): Promise<string> =>
        visit.page.evaluate('getComputedStyle(document.activeElement).outlineStyle')
      const reached: string[] = []
      for (let step = 0; step < 12; step++) {
        await visit.page.keyboard.press('Tab')
        expect(await outline()).not.toBe('none')
        reached.push(
          await visit.page.evaluate(
            'document.activeElement.ariaLabel ?? document.activeElement.textContent.trim().slice(0, 24)',
          ),
        )
      }
      for (const name of [
        'Skip to the content',
        'Overview',
        'Search the logs',
        'Least level',
        'Service',
        'Pause',
      ]) {
        expect(reached).toContain(name)
      }
      visit.expectNoComplaints()
    })
  })
})
