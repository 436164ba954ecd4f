/** S1: how far each store is behind, on Tidemark's own dashboard in a real browser. */
import { onTestFinished, test } from 'vitest'
import { chromium } from '../dashboard/chromium.ts'
import { withExample } from '../support/examples.ts'
import { withServer } from '../support/servers/installed.ts'
import { embeddedPostgres } from '../support/servers/postgres.ts'
import { redisServer } from '../support/servers/redis.ts'
import { System } from './extraction-system.ts'

const text = { 'a.txt': 'The harbour of Oslo\nShips from the harbour went north in the spring of 1843.\n' }
const stores = ['cache', 'embed', 'llm'] as const

await withExample('extraction', async () => {
  const { serve } = await import('../../examples/extraction/tidemark.ts')

  await withServer(embeddedPostgres, async (postgres) => {
    await withServer(redisServer, async (redis) => {
      await withServer(chromium, (browser) => {
        // SPEC S1.7
        test('the dashboard shows how far vectors, cache and LLM are behind the rows, now and over time', async () => {
          const place = { postgres: await postgres.createDatabase(), redis: redis.url }
          const system = await System.start(place, { documents: text, worker: 'none' })
          const { effects } = system.db
          const dashboard = await serve({ db: system.db, port: 0, effects: { everyMs: 100 } })
          onTestFinished(() => dashboard.close())
          for (const kind of stores) await effects.pause(kind)
          await system.submit(await system.project(), 'a.txt')
          await system.startWorker()

          const visit = await browser.visit(`${dashboard.url}/#/effects`)
          await visit.expectText('.kinds tr', /scrape\s*Up to date\s*0/)
          for (const kind of stores) await visit.expectText('.kinds tr', new RegExp(`${kind}\\s*Paused\\s*1`))
          for (const kind of stores) {
            await visit.page.getByRole('link', { name: kind, exact: true }).click()
            await visit.expectText('#kind-title', kind)
            await visit.expectText('.kind', 'How far is the target behind?')
            await visit.expectText('.kind .readout', /[1-9]\d*\s*m?s\s*behind/)
            await visit.page.locator('.kind .plot canvas').first().waitFor()
          }

          for (const kind of stores) await visit.page.getByRole('button', { name: `Resume ${kind}` }).click()
          for (const kind of stores)
            await visit.expectText(
              '.kinds tr',
              new RegExp(`${kind}\\s*Up to date\\s*0\\s*0\\s*ms\\s*0\\s*ms`),
            )
          visit.expectNoComplaints()
        })
      })
    })
  })
})
