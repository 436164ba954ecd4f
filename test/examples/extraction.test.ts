/** S1: documents in three stores that stay in step, through the processes that its users start. */
import { execFile } from 'node:child_process'
import path from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { withExample } from '../support/examples.ts'
import { withServer } from '../support/servers/installed.ts'
import { embeddedPostgres } from '../support/servers/postgres.ts'
import { redisServer } from '../support/servers/redis.ts'
import { temporaryFolder } from '../support/database-file.ts'
import { call, documents, part, type Answer } from './extraction-system.ts'

const main = new URL('../../examples/extraction/main.ts', import.meta.url)
const lovelace = `<!doctype html><html><head><title>Notes on the engine</title><style>p { color: red }</style></head>
<body><nav>Menu</nav><h1>Notes</h1><p>Ada Lovelace wrote to Charles Babbage from London on 1843-07-10.</p>
<p>Write to ada@example.com about it, for £20.</p><script>alert('never read')</script></body></html>`

await withExample('extraction', async () => {
  const { ApiClient } = await import('../../examples/extraction/client.ts')
  const { strongTries } = await import('../../examples/extraction/programs/strong.ts')

  await withServer(embeddedPostgres, async (postgres) => {
    await withServer(redisServer, (redis) => {
      // SPEC S1.12
      test('a folder and a site go through processes of their own, and are found, listed, timed, shown and removed', async () => {
        const folder = documents({
          'engine.html': lovelace,
          'deep/bread.md': '# Bread\n\nFlour, *water* and salt, an hour in the oven in Paris.\n',
          'plain.txt': 'Sails\nHoist the mainsail before the wind turns.\n',
          'latin1.txt': Uint8Array.from([0x63, 0x61, 0x66, 0xe9]),
        })
        const site = part('site', '--folder', folder)
        const vectors = part('vectors', '--state', temporaryFolder())
        const reach = [
          '--postgres',
          await postgres.createDatabase(),
          '--redis',
          redis.url,
          '--vectors',
          await vectors.said('vectors'),
        ]
        const api = part('serve', ...reach, '--check-every-ms', 200)
        const workers = ['worker-1', 'worker-2'].map((name) =>
          part('worker', ...reach, '--name', name, '--folder', folder),
        )
        part('llm', '--redis', redis.url, '--latency-ms', 5)
        const url = await api.said('api')
        const ask = async (method: string, route: string, body?: unknown): Promise<Answer> =>
          await call(url, method, route, body)
        await Promise.all(workers.map((worker) => worker.said('working')))
        const at = await site.said('site')

        const { id: project } = (await ask('POST', '/projects', { name: 'first' })).body
        const uris = [
          'engine.html',
          'deep/bread.md',
          'latin1.txt',
          'missing.md',
          `${at}/plain.txt`,
          `${at}/nowhere.html`,
        ]
        const submitted = await ask('POST', `/projects/${project}/sources`, { uris })
        expect(submitted.status).toBe(202)
        const idOf = (uri: string): string =>
          submitted.body.sources.find((source: { uri: string }) => source.uri === uri).id

        const strong = `consistency=strong&after=${submitted.body.bookmark}&timeoutMs=60000`
        const found = await ask('GET', `/projects/${project}/search?q=salt+and+flour&${strong}`)
        expect(found.body.hits[0]).toMatchObject({ uri: 'deep/bread.md', title: 'Bread' })
        const listed = await ask('GET', `/projects/${project}/extractions?${strong}`)
        expect(listed.body.extractions.map(({ uri }: { uri: string }) => uri).toSorted()).toEqual(
          ['deep/bread.md', 'engine.html', `${at}/plain.txt`].toSorted(),
        )
        const entities = await ask(
          'GET',
          `/projects/${project}/entities?${strong}&extraction=${idOf('engine.html')}`,
        )
        const names = entities.body.entities.map(
          ({ kind, name }: { kind: string; name: string }) => `${kind} ${name}`,
        )
        expect(names).toEqual(
          expect.arrayContaining([
            'person Ada Lovelace',
            'place London',
            'date 1843-07-10',
            'email ada@example.com',
            'money £20',
          ]),
        )
        expect(names.join()).not.toContain('never read')

        const status = async (uri: string): Promise<Answer['body']> =>
          (await ask('GET', `/sources/${idOf(uri)}/status?${strong}`)).body
        for (const [uri, problem] of [
          ['latin1.txt', 'not UTF-8'],
          ['missing.md', 'there is no file'],
          [`${at}/nowhere.html`, 'answers 404'],
        ] as const)
          expect(await status(uri)).toMatchObject({
            state: 'failed',
            problem: expect.stringContaining(problem),
          })
        let bread = await status('deep/bread.md')
        while (bread.steps.llm.state === 'waiting') bread = await status('deep/bread.md')
        expect(bread).toMatchObject({
          state: 'extracted',
          totalMs: expect.any(Number),
          steps: {
            scrape: { state: 'done', ms: expect.any(Number) },
            embed: { state: 'done', ms: expect.any(Number) },
            llm: { state: 'done', ms: expect.any(Number) },
          },
        })

        const dashboard = await api.said('dashboard')
        const shown = /"cache".*"embed".*"llm".*"scrape"/
        const lags = async (): Promise<string> =>
          JSON.stringify((await call(dashboard, 'GET', '/v1/stats/effects')).body)
        while (!shown.test(await lags()));

        const { bookmark } = (await ask('DELETE', `/sources/${idOf('deep/bread.md')}`)).body
        const after = await ask(
          'GET',
          `/projects/${project}/search?q=salt+and+flour&consistency=strong&after=${bookmark}&timeoutMs=60000`,
        )
        expect(after.body.hits.map(({ uri }: { uri: string }) => uri)).not.toContain('deep/bread.md')
        expect(
          (await ask('GET', `/projects/${project}/entities?extraction=${idOf('deep/bread.md')}`)).body
            .entities,
        ).toEqual([])

        // Whoever submits and asks at once finds it, every time.
        const tally = await strongTries(new ApiClient(url), { site: at, tries: 50, seed: 7 })
        expect(tally).toMatchObject({ tries: 50, found: 50 })
        const health = await ask('GET', '/health')
        expect(health.body).toMatchObject({ status: 'ok', alerts: [] })
      })

      test('one command starts all parts, and starts again what dies; others submit, search and ask', async () => {
        const folder = documents({
          'engine.html': lovelace,
          'plain.txt': 'Sails\nHoist the mainsail before the wind.\n',
        })
        const state = path.join(temporaryFolder(), 'state')
        const place = ['--postgres', await postgres.createDatabase(), '--redis', redis.url, '--state', state]
        const up = part('up', ...place, '--folder', folder, '--workers', 1, '--latency-ms', 5)
        await up.said('Ctrl-C')
        const command = async (...given: readonly string[]): Promise<string> => {
          const program = [main.pathname, ...given, '--state', state]
          return (await promisify(execFile)(process.execPath, program)).stdout
        }
        expect(await command('submit', '--folder', folder)).toMatch(
          / engine\.html\n.* plain\.txt\nproject \d+: 2 submitted/,
        )
        const search = ['search', 'hoist', 'the', 'mainsail', '--consistency', 'strong']
        expect(await command(...search)).toMatch(/^0\.\d+ plain\.txt: Sails/)

        const worker = Number((await up.said('[worker-1] process')).trim())
        process.kill(worker, 'SIGKILL')
        await up.said('[worker-1] ended')
        expect(await command('submit', 'plain.txt')).toContain('project')
        expect(await command(...search)).toMatch(/^0\.\d+ plain\.txt: Sails/)
        expect(JSON.parse(await command('recover'))).toMatchObject({ dryRun: true, enqueued: 0 })
        expect(JSON.parse(await command('health'))).toMatchObject({ alerts: [] })
        await expect(command('status', 'nothing')).rejects.toMatchObject({
          code: 1,
          stderr: expect.stringContaining('source_id'),
        })
        await expect(command('strong', '--tries', 'many')).rejects.toMatchObject({
          code: 1,
          stderr: expect.stringContaining('whole number'),
        })

        up.stop()
        expect(await up.ended).toMatchObject({ code: 0 })
      })
    })
  })
})
