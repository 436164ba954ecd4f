/** S0: the watcher's page in a real browser: notes on their way, and a search that says how fresh it is. */
import { once } from 'node:events'
import { request, type IncomingMessage } from 'node:http'
import { expect, test } from 'vitest'
import { chromium } from '../dashboard/chromium.ts'
import { withExample } from '../support/examples.ts'
import { withServer } from '../support/servers/installed.ts'
import { notesFolder, openVault, write } from './vault-command.ts'

await withExample('vault', async () => {
  const { hashing } = await import('../../examples/vault/embed/hashing.ts')
  const { serveVault } = await import('../../examples/vault/server/serve.ts')

  await withServer(chromium, (browser) => {
    // SPEC S0.8
    test('the page counts notes at each stage as they move, names what is left out, and searches', async () => {
      const { folder, state } = notesFolder({ 'bread.md': '# Bread\n\nFlour and water.\n' })
      const { vault } = await openVault({ folder, state, embedder: hashing })
      await using served = await serveVault(vault)
      await vault.watch()
      await vault.settled()
      const visit = await browser.visit(`http://127.0.0.1:${served.port}/`)
      await visit.expectText('[data-stage=searchable] output', /^1$/)
      await visit.expectText('#connection', 'live')

      write(folder, 'sails.md', '# Sails\n\nHoist the mainsail.\n')
      write(folder, 'photo.md', new Uint8Array([0, 1]))
      await visit.expectText('[data-stage=searchable] output', /^2$/)
      await visit.expectText('[data-stage=searchable] li', 'sails.md')
      await visit.expectText('#problems', 'photo.md: it is no text')

      await visit.page.fill('#words', 'hoist a sail')
      await visit.page.selectOption('#level', 'strong')
      await visit.page.click('#ask button')
      await visit.expectText('#found .where', 'sails.md:3')
      await visit.expectText('#fresh', /^strong: waited \d+ ms of \d+ · nothing pending/)
      visit.expectNoComplaints()
    })

    test('a page of somebody else, whose name leads here, is refused', async () => {
      const { folder, state } = notesFolder({})
      const { vault } = await openVault({ folder, state, embedder: hashing })
      await using served = await serveVault(vault)
      const asked = request({
        port: served.port,
        path: '/api/vault',
        headers: { host: 'notes.example' },
      }).end()
      const [response] = (await once(asked, 'response')) as [IncomingMessage]
      response.resume()
      expect(response.statusCode).toBe(403)
    })
  })
})
