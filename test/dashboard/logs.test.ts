import { describe, expect, test } from 'vitest'
import type { LogRow } from '../../src/logs/index.ts'
import { withServer } from '../support/servers/installed.ts'
import { chromium } from './chromium.ts'
import { stage } from './stage.ts'

await withServer(chromium, (browser) => {
  describe('dashboard · the logs', () => {
    test('what is stored appears by itself, newest on top', async () => {
      const { url, store } = await stage()
      await store('first')
      const visit = await browser.visit(`${url}/#/logs`)
      await visit.expectMessages(['first'])
      await visit.isFollowing()
      await store('second', 'third')
      await visit.expectMessages(['third', 'second', 'first'])
      visit.expectNoComplaints()
    })

    test('a search finds, marks its words, and goes on with what comes', async () => {
      const { url, store } = await stage()
      await store('connection refused by the database', 'all is well', 'Connection lost, then refused')
      const visit = await browser.visit(`${url}/#/logs`)
      await visit.page.getByLabel('Search the logs').fill('conn* refused')
      await visit.expectMessages(['Connection lost, then refused', 'connection refused by the database'])
      expect(await visit.page.locator('.message mark').allTextContents()).toEqual([
        'Connection',
        'refused',
        'connection',
        'refused',
      ])
      await visit.isFollowing()
      await store('nothing to see', 'the connection was refused once more')
      await visit.expectMessages([
        'the connection was refused once more',
        'Connection lost, then refused',
        'connection refused by the database',
      ])
      visit.expectNoComplaints()
    })

    test('a search without a hit says so, how to search, and how to get out', async () => {
      const { url, store } = await stage()
      await store('all is well')
      const visit = await browser.visit(`${url}/#/logs?q=%22no+such+thing%22`)
      await visit.expectText('.empty', 'Nothing is found')
      await visit.page.locator('.empty').getByRole('button', { name: 'Clear the filter' }).click()
      await visit.expectMessages(['all is well'])
      await visit.page.getByLabel('Search the logs').fill('...')
      await visit.expectText('.empty', 'the text to search for holds no word')
      visit.expectNoComplaints(/status of 422/)
    })

    test('entries pass by level, by service and by attribute, and a link shows another the same', async () => {
      const { url, store } = await stage()
      await store(
        { message: 'a', level: 'info', service: 'api' },
        { message: 'b', level: 'warn', service: 'api', attributes: { host: 'eu-1', port: 80 } },
        { message: 'c', level: 'error', service: 'shop', attributes: { host: 'eu-1' } },
        { message: 'd', level: 'error', service: 'api', attributes: { host: 'us-1' } },
      )
      const visit = await browser.visit(`${url}/#/logs`)
      await visit.expectMessages(['d', 'c', 'b', 'a'])
      await visit.page.getByLabel('Least level').selectOption('warn')
      await visit.expectMessages(['d', 'c', 'b'])
      await visit.page.locator('.entry-head').nth(1).click()
      await visit.page.getByRole('button', { name: 'Filter by host = eu-1' }).click()
      await visit.expectMessages(['c', 'b'])
      await visit.page.locator('.entry-head').nth(1).click()
      await visit.page.getByRole('button', { name: 'Filter by port = 80' }).click()
      await visit.expectMessages(['b'])
      await visit.page.getByRole('button', { name: 'Remove the filter port = 80' }).click()
      await visit.expectMessages(['c', 'b'])
      await visit.page
        .getByRole('textbox', { name: 'Service' })
        .or(visit.page.getByLabel('Service'))
        .first()
        .fill('api')
      await visit.expectMessages(['b'])
      const link = visit.page.url()
      const other = await browser.visit(link)
      await other.expectMessages(['b'])
      await other.page.getByRole('button', { name: 'Remove the filter host = eu-1' }).click()
      await other.expectMessages(['d', 'b'])
      other.expectNoComplaints()
    })

    test('a page of entries that failed is asked for again', async () => {
      const { url, store } = await stage()
      await store('there all the time')
      const visit = await browser.visit(`${url}/#/overview`)
      const { page } = visit
      await page.route('**/v1/logs/search*', (route) => route.fulfill({ status: 503, body: 'busy' }), {
        times: 1,
      })
      await page.getByRole('link', { name: 'Logs' }).click()
      await visit.expectText('.empty', 'The server answered 503.')
      await visit.expectMessages(['there all the time'])
      visit.expectNoComplaints(/status of 503/)
    })

    test('an entry opens to all that is known of it', async () => {
      const { url, store } = await stage()
      const attributes = { user: { id: 7, tags: ['a', 'b'] }, isAdmin: false, note: null }
      await store({ message: 'signed in\nfrom home', level: 'info', service: 'auth', attributes })
      const visit = await browser.visit(`${url}/#/logs`)
      const head = visit.page.locator('.entry-head').first()
      await head.click()
      expect(await head.getAttribute('aria-expanded')).toBe('true')
      expect(await visit.page.locator('.entry-message').innerText()).toBe('signed in\nfrom home')
      const tree = (await visit.page.locator('.tree').first().innerText()).split(/\s+/)
      for (const word of ['user', 'id', '7', 'tags', 'a', 'b', 'isAdmin', 'false', 'note', 'null']) {
        expect(tree).toContain(word)
      }
      await head.click()
      expect(await visit.page.locator('.entry-body').count()).toBe(0)
      visit.expectNoComplaints()
    })

    test('paused, nothing moves; what came meanwhile is counted, and shown on demand', async () => {
      const { url, store } = await stage()
      await store('before')
      const visit = await browser.visit(`${url}/#/logs`)
      await visit.expectMessages(['before'])
      await visit.isFollowing()
      await visit.page.getByRole('button', { name: 'Pause' }).click()
      await store('one', 'two')
      await visit.expectText('.new-entries', '2 new entries')
      expect(await visit.messages()).toEqual(['before'])
      await visit.page.getByRole('button', { name: 'Resume' }).click()
      await visit.expectMessages(['two', 'one', 'before'])
      visit.expectNoComplaints()
    })

    test('whoever reads further down is not moved, and finds all, each once', async () => {
      const { url, store } = await stage()
      await store(...Array.from({ length: 350 }, (_, index) => `entry ${index}`))
      const visit = await browser.visit(`${url}/#/logs`)
      await visit.isFollowing()
      await expect
        .poll(
          async () => {
            await visit.page.evaluate('document.querySelector(".log-scroll").scrollTo(0, 1e9)')
            return (await visit.messages()).length
          },
          { timeout: 20_000 },
        )
        .toBe(350)
      expect(await visit.messages()).toEqual(
        Array.from({ length: 350 }, (_, index) => `entry ${349 - index}`),
      )
      await store('new')
      await visit.expectText('.new-entries', '1 new entry')
      expect(await visit.messages()).not.toContain('new')
      await visit.page.locator('.new-entries').click()
      await expect.poll(async () => (await visit.messages())[0]).toBe('new')
      visit.expectNoComplaints()
    })

    test('a flood leaves the page usable: a bounded list, and the rest counted', async () => {
      const { url, logs, store } = await stage()
      await store('before')
      const visit = await browser.visit(`${url}/#/logs`)
      await visit.isFollowing()
      // Of each load at least the newest 100 are shown, which is more than the list may hold.
      for (let load = 0; load < 12; load++) {
        await logs.storeRows(flood(load, 1_000))
        await visit.expectText('.message', `row ${load * 1_000 + 999}`)
      }
      await store('the last one')
      await visit.expectText('.message', 'the last one')
      expect(await visit.page.locator('.entry').count()).toBeLessThanOrEqual(1_000)
      await visit.expectText('.gap', /\d more not shown/)
      await visit.page.getByLabel('Search the logs').fill('last')
      await visit.expectMessages(['the last one'])
      visit.expectNoComplaints()
    })
  })
})

function flood(load: number, count: number): LogRow[] {
  return Array.from({ length: count }, (_, index) => ({
    ts: 1_800_000_000_000 + index,
    level: 'info',
    service: 'flood',
    message: `row ${load * count + index}`,
    attributes: null,
  }))
}
