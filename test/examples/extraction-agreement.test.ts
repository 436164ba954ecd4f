/** S1: stores that drift apart, on purpose. Each is found, named and repaired; what is only under way never is. */
import { DatabaseSync } from 'node:sqlite'
import { load } from 'sqlite-vec'
import { expect, test } from 'vitest'
import { withExample } from '../support/examples.ts'
import { withServer } from '../support/servers/installed.ts'
import { embeddedPostgres } from '../support/servers/postgres.ts'
import { redisServer } from '../support/servers/redis.ts'
import { System, type Answer } from './extraction-system.ts'

await withExample('extraction', async () => {
  const { asMarkdown, madeDocument } = await import('../../examples/extraction/made.ts')

  const many = (of: number): Record<string, string> =>
    Object.fromEntries(Array.from({ length: of }, (_, n) => [`${n}.md`, asMarkdown(madeDocument(1, n))]))
  const nothing = {
    postgres: {
      sourcesWithoutScrape: [],
      extractionsWithoutEmbed: [],
      extractionsWithoutRequest: [],
      underWay: 0,
      givenUp: [],
    },
    vectors: { rowsWithoutVectors: [], vectorsWithoutRows: [] },
    redis: { oldListings: [] },
    isMore: false,
  }

  await withServer(embeddedPostgres, async (postgres) => {
    await withServer(redisServer, (redis) => {
      interface Tried {
        readonly system: System
        readonly project: number
        readonly ids: readonly string[]
        /** Past every engine, as another program would. */
        sql(text: string): Promise<unknown>
        recover(dryRun: boolean): Promise<Answer['body']>
      }

      async function tried(of: number): Promise<Tried> {
        const url = await postgres.createDatabase()
        const system = await System.start({ postgres: url, redis: redis.url }, { documents: many(of) })
        const project = await system.project()
        const { ids } = of === 0 ? { ids: [] } : await system.submit(project, ...Object.keys(many(of)))
        await system.settled()
        expect(await system.api.agreement.look()).toEqual([])
        return {
          system,
          project,
          ids,
          sql: (text) => postgres.query(text, url),
          recover: async (dryRun) =>
            (await system.call('POST', `/projects/${project}/extractions/recover?dryRun=${dryRun}`)).body,
        }
      }

      function removeVectors(file: string, ids: readonly string[]): void {
        // Whoever writes to it meanwhile is waited for: by itself it would not wait.
        const database = new DatabaseSync(file, { allowExtension: true, timeout: 10_000 })
        load(database)
        database.exec('BEGIN IMMEDIATE')
        for (const id of ids) {
          database.exec(
            `DELETE FROM extractions WHERE id IN (SELECT id FROM extractions_versions WHERE key = '${id}')`,
          )
          database.exec(`DELETE FROM extractions_versions WHERE key = '${id}'`)
        }
        database.exec('COMMIT')
        database.close()
      }

      /** It is told once, makes the API's health red, survives a dry run, and is gone after a repair. */
      async function isFoundAndMended(
        { system, project, recover }: Tried,
        name: string,
        found: Readonly<Record<string, object>>,
      ): Promise<void> {
        await system.api.agreement.look()
        const [alert, ...others] = await system.api.agreement.look()
        expect(others).toEqual([])
        expect(alert).toMatchObject({
          name,
          projects: [project],
          repair: expect.stringContaining('/extractions/recover'),
        })
        expect(system.alerts.map((one) => one.name)).toEqual([name])
        const health = await system.call('GET', '/health')
        expect(health).toMatchObject({ status: 503, body: { status: 'red', alerts: [{ name }] } })

        const report = {
          ...nothing,
          ...Object.fromEntries(
            Object.entries(found).map(([store, part]) => [store, { ...nothing[store as 'redis'], ...part }]),
          ),
        }
        for (let again = 0; again < 2; again++)
          expect(await recover(true)).toEqual({ ...report, dryRun: true, enqueued: 0 })
        expect(await recover(false)).toMatchObject({ ...report, dryRun: false, enqueued: expect.any(Number) })
        await system.settled()
        expect(await recover(true)).toEqual({ ...nothing, dryRun: true, enqueued: 0 })
        expect(await system.api.agreement.look()).toEqual([])
        expect(await system.call('GET', '/health')).toMatchObject({ status: 200, body: { status: 'ok' } })
      }

      // SPEC S1.2
      test('rows without vectors: vectors that were lost, and rows that nothing was enqueued for', async () => {
        const all = await tried(8)
        const [lost, other, third] = all.ids as [string, string, string]
        removeVectors(all.system.vectorFile, [lost, other])
        await all.sql(
          `UPDATE extractions SET embedding_id = NULL, embed_state = 'waiting' WHERE id = '${third}'`,
        )
        await isFoundAndMended(all, 'rowsWithoutVectors', {
          postgres: { extractionsWithoutEmbed: [third] },
          vectors: { rowsWithoutVectors: [lost, other].toSorted() },
        })
        const { body } = await all.system.call('GET', `/projects/${all.project}/search?q=report&limit=100`)
        expect(body.hits).toHaveLength(8)
      })

      test('vectors without rows: another program has deleted some', async () => {
        const all = await tried(8)
        const [gone, other] = all.ids as [string, string]
        for (const table of ['extractions', 'sources'])
          await all.sql(`DELETE FROM ${table} WHERE id IN ('${gone}', '${other}')`)
        await all.sql(`DELETE FROM entities WHERE extraction IN ('${gone}', '${other}')`)
        // The listing is old too, where it is in the cache: it was not.
        const search = await all.system.call('GET', `/projects/${all.project}/search?q=report&limit=100`)
        expect(search.body).toMatchObject({ hits: { length: 6 }, outdated: 2 })
        await isFoundAndMended(all, 'vectorsWithoutRows', {
          vectors: { vectorsWithoutRows: [gone, other].toSorted() },
        })
      })

      test('a cache that is older than its row: another program has changed one', async () => {
        const all = await tried(3)
        const listing = `/projects/${all.project}/extractions`
        const before = await all.system.call('GET', listing)
        await all.sql(`UPDATE extractions SET title = 'Changed' WHERE id = '${all.ids[0]}'`)
        expect((await all.system.call('GET', listing)).body).toEqual(before.body)
        await isFoundAndMended(all, 'cacheOlderThanRow', {
          redis: { oldListings: [`extractions:${all.project}`] },
        })
        expect(JSON.stringify((await all.system.call('GET', listing)).body)).toContain('"Changed"')
      })

      test('a queue that does not move: rows that nothing was enqueued for', async () => {
        const all = await tried(2)
        await all.sql(`UPDATE sources SET state = 'waiting' WHERE id = '${all.ids[0]}'`)
        await all.sql(`UPDATE extractions SET llm_state = 'waiting' WHERE id = '${all.ids[1]}'`)
        await isFoundAndMended(all, 'queueNotMoving', {
          postgres: { sourcesWithoutScrape: [all.ids[0]], extractionsWithoutRequest: [all.ids[1]] },
        })
      })

      test('a queue that does not move: nobody is there who works; it moves when somebody is', async () => {
        const url = await postgres.createDatabase()
        const system = await System.start(
          { postgres: url, redis: redis.url },
          { documents: many(3), worker: 'none', api: { lateAfterMs: 1 } },
        )
        await system.submit(await system.project(), ...Object.keys(many(3)))
        await system.until(async () => (await system.api.agreement.look()).length > 0)
        const [alert] = system.api.agreement.alerts
        expect(alert).toMatchObject({
          name: 'queueNotMoving',
          keys: ['scrape'],
          repair: expect.stringContaining('start a worker'),
        })
        expect((await system.call('GET', '/health')).status).toBe(503)
        await system.startWorker()
        await system.settled()
        expect(await system.api.agreement.look()).toEqual([])
        expect(system.alerts).toHaveLength(1)
      })

      test('a store that cannot be reached is named, and nothing else is said of it', async () => {
        const { system } = await tried(1)
        await redis.kill()
        expect(await system.api.agreement.look()).toMatchObject([
          { name: 'storeDown', message: expect.stringContaining('Redis') },
        ])
        await redis.startAgain()
        await system.until(async () => (await system.api.agreement.look()).length === 0)
      })

      // SPEC S1.3
      test('recovering and looking beside live traffic finds what was broken, and nothing that is under way', async () => {
        const all = await tried(120)
        const { system, project, ids, recover } = all
        const lost = ids.slice(0, 5)
        const uris = Object.keys(many(120))
        const over = new AbortController()
        const traffic = (async () => {
          for (let round = 0; round < 6; round++) {
            await system.submit(project, ...uris.slice(20 + round * 10, 60 + round * 10))
            for (const id of ids.slice(119 - round, 120 - round))
              await system.call('DELETE', `/sources/${id}`)
            await system.call('GET', `/projects/${project}/extractions`)
          }
          await system.settled()
          over.abort()
        })()
        const lacking = new Set<string>()
        removeVectors(system.vectorFile, lost)
        while (!over.signal.aborted) {
          const report = await recover(false)
          for (const id of report.vectors.rowsWithoutVectors) lacking.add(id)
          expect(report).toMatchObject({
            postgres: {
              sourcesWithoutScrape: [],
              extractionsWithoutEmbed: [],
              extractionsWithoutRequest: [],
              givenUp: [],
            },
            vectors: { vectorsWithoutRows: [] },
            redis: { oldListings: [] },
          })
          const alerts = await system.api.agreement.look()
          expect(alerts.filter(({ name }) => name !== 'rowsWithoutVectors')).toEqual([])
        }
        await traffic
        await system.settled()
        expect([...lacking].toSorted()).toEqual([...lost].toSorted())
        expect(await recover(true)).toEqual({ ...nothing, dryRun: true, enqueued: 0 })
        const rows = await system.db
          .read('strong')
          .selectFrom('extractions')
          .select(['id', 'embedding_id'])
          .execute()
        expect(rows).toHaveLength(114)
        expect(rows.filter((row) => row.embedding_id !== row.id)).toEqual([])
        const vectors = new DatabaseSync(system.vectorFile, { readOnly: true })
        const kept = vectors
          .prepare('SELECT key FROM extractions_versions WHERE removed_ms IS NULL ORDER BY key')
          .all()
        vectors.close()
        expect(kept.map(({ key }) => key)).toEqual(rows.map(({ id }) => id).toSorted())
      })
    })
  })
})
