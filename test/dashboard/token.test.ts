import { describe, expect, test } from 'vitest'
import { withServer } from '../support/servers/installed.ts'
import { chromium } from './chromium.ts'
import { stage } from './stage.ts'

const reader = { name: 'reader', token: 'reader-0123456789abcdef', scopes: ['read'] } as const
const writer = { name: 'writer', token: 'writer-0123456789abcdef', scopes: ['write'] } as const

await withServer(chromium, (browser) => {
  describe('dashboard · tokens', () => {
    test('one is asked for when the server wants it, refused when it is wrong, and kept for this tab', async () => {
      const { url, store } = await stage({ tokens: [reader] })
      await store('for readers')
      const visit = await browser.visit(`${url}/#/logs`)
      const field = visit.page.getByLabel('Token', { exact: true })
      await field.fill('wrong-0123456789abcdef')
      await visit.page.getByRole('button', { name: 'Go on' }).click()
      await visit.expectText('#token-note', 'does not know that token')
      await field.fill(reader.token)
      await visit.page.keyboard.press('Enter')
      await visit.expectMessages(['for readers'])
      await visit.isFollowing()
      await store('and the tail')
      await visit.expectMessages(['and the tail', 'for readers'])
      await visit.page.reload()
      await visit.expectMessages(['and the tail', 'for readers'])
      const stored = await visit.page.evaluate(
        '[Object.values(sessionStorage), JSON.stringify(localStorage)]',
      )
      expect(stored).toEqual([[reader.token], expect.not.stringContaining(reader.token)])
      visit.expectNoComplaints(/status of 401/)
    })

    test('one that may not read is told so', async () => {
      const { url } = await stage({ tokens: [writer] })
      const visit = await browser.visit(url)
      await visit.page.getByLabel('Token', { exact: true }).fill(writer.token)
      await visit.page.getByRole('button', { name: 'Go on' }).click()
      await visit.expectText('.banner', 'may not read here')
      await visit.expectText('.status', 'Not allowed')
      visit.expectNoComplaints(/status of 40[13]/)
    })

    test('one that may only read redrives nothing, and is told so', async () => {
      const { url, logs, store } = await stage({ tokens: [reader] })
      await store('taken')
      await Promise.allSettled([logs.tidemark.insert('logs', { id: 1, message: 'the same id' })])
      const visit = await browser.visit(`${url}/#/dead-letters`)
      await visit.page.getByLabel('Token', { exact: true }).fill(reader.token)
      await visit.page.keyboard.press('Enter')
      await visit.page.getByRole('checkbox', { name: 'Dead letter 1' }).check()
      await visit.page.getByRole('button', { name: 'Redrive 1' }).click()
      await visit.page.getByRole('dialog').getByRole('button', { name: 'Redrive' }).click()
      await visit.expectText('.problem', 'has no scope "admin"')
      expect(await logs.tidemark.deadLetters()).toHaveLength(1)
      visit.expectNoComplaints(/status of 40[13]/)
    })
  })
})
