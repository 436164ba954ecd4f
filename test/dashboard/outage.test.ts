import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { Child } from '../support/child.ts'
import { temporaryFolder } from '../support/database-file.ts'
import { withServer } from '../support/servers/installed.ts'
import { chromium } from './chromium.ts'

const program = new URL('server-process.ts', import.meta.url)

await withServer(chromium, (browser) => {
  describe('dashboard · a server that goes and comes back', () => {
    test('is said to be gone, is found again, and nothing is missed in the logs', async () => {
      const file = path.join(temporaryFolder(), 'logs.db')
      const first = new Child(program, [file, 0])
      const url = await first.said('serving')
      first.tell('before')
      await first.said('stored')
      const visit = await browser.visit(`${url}/#/logs`)
      await visit.expectMessages(['before'])
      await visit.isFollowing()

      await first.kill()
      await visit.expectText('.status', 'Unreachable')
      await visit.expectText('.banner', /does not answer.*Asked again in \d+\ss/s)
      expect(await visit.messages()).toEqual(['before'])

      const second = new Child(program, [file, new URL(url).port])
      second.tell('while nobody looked')
      await second.said('stored 1')
      await visit.page.getByRole('button', { name: 'Try now' }).click()
      await visit.expectText('.status', 'Live')
      await visit.expectMessages(['while nobody looked', 'before'])
      second.tell('after')
      await visit.expectMessages(['after', 'while nobody looked', 'before'])
      expect(await visit.page.locator('.banner').count()).toBe(0)
      visit.expectNoComplaints(/ERR_|Failed to load resource/)
    })

    test('is said to be slow while it does not answer, and what is shown is marked as old', async () => {
      const server = new Child(program, [path.join(temporaryFolder(), 'logs.db'), 0])
      const visit = await browser.visit(await server.said('serving'))
      await visit.expectText('.status', 'Live')
      server.pause()
      await visit.expectText('.status', /Stale since \d\d:\d\d:\d\d/)
      await visit.page.locator('main[data-old="true"]').waitFor()
      server.resume()
      await visit.expectText('.status', 'Live')
      await visit.page.locator('main[data-old="false"]').waitFor()
      visit.expectNoComplaints(/ERR_|Failed to load resource/)
    })
  })
})
