import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { describe, expect, onTestFinished, test } from 'vitest'
import { open } from '../../src/index.ts'
import { serve } from '../../src/server/index.ts'
import { memory } from '../../src/stores/memory/index.ts'
import { requireProgram, withServer } from '../support/servers/installed.ts'
import { chromium } from './chromium.ts'
import { stage } from './stage.ts'

await withServer(chromium, (browser) => {
  describe('dashboard · the page', () => {
    test('loads every view without an error, a violation of its policy or a request to elsewhere', async () => {
      const { url, store } = await stage()
      await store('one', { message: 'two', attributes: { deep: { list: [1, null] } } })
      const visit = await browser.visit(url)
      await visit.expectText('.figure', /Committed\s*\d/)
      await visit.page.getByRole('link', { name: 'Logs' }).click()
      await visit.expectMessages(['two', 'one'])
      await visit.page.getByRole('link', { name: 'Dead letters' }).first().click()
      await visit.expectText('.glad', 'No dead letters')
      await visit.page.goBack()
      await visit.expectMessages(['two', 'one'])
      visit.expectNoComplaints()
    })

    test('shows the figures of the engine, and charts that say what they show', async () => {
      const { url, store } = await stage()
      await store(...Array.from({ length: 250 }, (_, index) => `entry ${index}`))
      const visit = await browser.visit(url)
      await visit.expectText('.figure', /Committed\s*2\d\d/)
      await visit.expectText('.status', /Live/)
      expect(await visit.page.locator('.plot canvas').count()).toBe(6)
      const label = (): Promise<string | null> =>
        visit.page.locator('.plot').last().getAttribute('aria-label')
      await expect.poll(label).toMatch(/^How large is it\? .*database: now [\d.]+\s?.B, least .*, most /)
      await visit.page.getByRole('button', { name: '15 min' }).click()
      await expect.poll(label).toContain('The last 15 minutes')
      expect(visit.page.url()).toContain('minutes=15')
      visit.expectNoComplaints()
    })

    test('is dark and light as the system is, until somebody chooses', async () => {
      const { url } = await stage()
      const visit = await browser.visit(url, { colorScheme: 'dark' })
      const ground = (): Promise<string> =>
        visit.page.evaluate('getComputedStyle(document.documentElement).backgroundColor')
      const [dark, light] = ['rgb(10, 16, 21)', 'rgb(243, 246, 247)']
      await expect.poll(ground).toBe(dark)
      await visit.page.emulateMedia({ colorScheme: 'light' })
      await expect.poll(ground).toBe(light)
      await visit.page.getByRole('button', { name: 'Theme: auto' }).click()
      await expect.poll(ground).toBe(dark)
      await visit.page.reload()
      await visit.page.getByRole('button', { name: 'Theme: dark' }).click()
      await expect.poll(ground).toBe(light)
      visit.expectNoComplaints()
    })

    test('leaves out the logs where the server has none', async () => {
      const db = await open(memory({ schema: 'CREATE TABLE t (id INTEGER PRIMARY KEY)' }))
      const server = await serve({ db, port: 0 })
      onTestFinished(async () => {
        await server.close({ drainMs: 1_000 })
        await db.close()
      })
      await db.insert('t', { id: 1 })
      const visit = await browser.visit(server.url)
      await visit.expectText('.figure', /Committed\s*1/)
      expect(await visit.page.locator('nav.views a').allInnerTexts()).toEqual(['Overview', 'Dead letters'])
      // By an old link, or by its key.
      await visit.page.keyboard.press('g')
      await visit.page.keyboard.press('l')
      await visit.expectText('.empty', /No logs here/)
      visit.expectNoComplaints()
    })

    test('tells who has no logs how to send one, in a line that runs', async () => {
      requireProgram('curl', 'apt-get install curl')
      const { url } = await stage()
      const visit = await browser.visit(`${url}/#/logs`)
      await visit.expectText('h2', 'No logs yet')
      const line = (await visit.page.locator('.command code').first().textContent()) ?? ''
      await visit.isFollowing()

      // Not synchronously: the server that it calls is in this process.
      const [code] = await once(spawn('sh', ['-c', line]), 'close')
      expect(code).toBe(0)
      await visit.expectMessages(['Hello, Tidemark'])
      visit.expectNoComplaints()
    })
  })
})
