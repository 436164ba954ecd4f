/** S1: what the API takes, what it refuses, and how it says so. */
import { expect, test } from 'vitest'
import { withExample } from '../support/examples.ts'
import { withServer } from '../support/servers/installed.ts'
import { embeddedPostgres } from '../support/servers/postgres.ts'
import { redisServer } from '../support/servers/redis.ts'
import { System, write } from './extraction-system.ts'

await withExample('extraction', async () => {
  const { buildApp } = await import('../../examples/extraction/api/app.ts')
  const { problemOf } = await import('../../examples/extraction/documents/uri.ts')

  await withServer(embeddedPostgres, async (postgres) => {
    await withServer(redisServer, (redis) => {
      const start = async (setting: Parameters<typeof System.start>[1]): Promise<System> =>
        await System.start({ postgres: await postgres.createDatabase(), redis: redis.url }, setting)

      test('what makes no sense is refused with a problem document that says why, and nothing of it is taken', async () => {
        const system = await start({ worker: 'none' })
        const project = await system.project()
        const sources = `/projects/${project}/sources`
        const search = `/projects/${project}/search`
        const cases: readonly (readonly [
          method: string,
          path: string,
          body: unknown,
          status: number,
          detail: RegExp,
        ])[] = [
          ['POST', '/projects', {}, 422, /name/],
          ['POST', '/projects', { name: '' }, 422, /name/],
          ['POST', '/projects', { name: 5 }, 422, /name must be string/],
          ['POST', '/projects', { name: 'a', colour: 'red' }, 422, /additional properties/],
          ['POST', '/projects', '{"name":', 400, /JSON/],
          ['POST', '/projects/9999999/sources', { uri: 'a.md' }, 404, /no project 9999999/],
          ['POST', '/projects/first/sources', { uri: 'a.md' }, 400, /project_id must be integer/],
          ['POST', sources, { uri: '../secret.md' }, 422, /no plain path/],
          ['POST', sources, { uris: ['a.md', '/etc/passwd'] }, 422, /no path below the folder/],
          ['POST', sources, { uri: 'https://example.com/a.html' }, 422, /no http: address/],
          ['POST', sources, { uri: 'http://10.0.0.1/a.html' }, 422, /not a page of this machine/],
          ['POST', sources, { uris: [] }, 422, /fewer than 1/],
          ['POST', sources, { uri: 'a.md', uris: ['b.md'] }, 422, /exactly one schema|additional properties/],
          ['GET', search, undefined, 400, /required property 'q'/],
          ['GET', `${search}?q=a&consistency=soon`, undefined, 400, /consistency/],
          ['GET', `${search}?q=a&limit=1000000`, undefined, 400, /limit must be <= 100/],
          ['GET', `${search}?q=a&sources=x`, undefined, 400, /sources must match/],
          ['GET', `${search}?q=a&consistency=strong&after=nonsense`, undefined, 400, /bookmark/],
          ['GET', `/projects/${project}/extractions?after=nonsense`, undefined, 400, /waits for nothing/],
          ['GET', '/projects/9999999/entities', undefined, 404, /no project/],
          ['GET', '/sources/0123/status', undefined, 400, /source_id/],
          ['GET', '/sources/0123456789abcdef01234567/status', undefined, 404, /no such source/],
          ['DELETE', '/sources/0123456789abcdef01234567', undefined, 404, /no such source/],
          [
            'POST',
            `/projects/${project}/extractions/recover?dryRun=maybe`,
            undefined,
            400,
            /dryRun must be boolean/,
          ],
          [
            'POST',
            `/projects/${project}/extractions/recover`,
            { dryRun: 'no' },
            422,
            /dryRun must be boolean/,
          ],
          ['GET', '/dead-letters?kind=other', undefined, 400, /kind must be equal/],
          ['POST', '/dead-letters/redrive', { ids: [] }, 422, /fewer than 1/],
          ['GET', '/nowhere', undefined, 404, /nothing at this path/],
        ]
        for (const [method, path, body, status, detail] of cases) {
          const answer = await system.call(method, path, body)
          expect(answer.headers.get('content-type'), path).toContain('application/problem+json')
          expect({ path, body, ...answer.body }).toMatchObject({
            path,
            body,
            status,
            detail: expect.stringMatching(detail),
            title: expect.any(String),
            code: expect.any(String),
          })
          expect(answer.status).toBe(status)
        }
        expect(await system.db.read('strong').selectFrom('sources').select('id').execute()).toEqual([])
      })

      test('a source is a path below the folder or a page of this machine, and nothing else', () => {
        for (const good of [
          'a.md',
          'deep/er/b.html',
          'http://127.0.0.1:80/x',
          'http://localhost/x',
          'http://[::1]:8/x',
        ])
          expect([good, problemOf(good)]).toEqual([good, undefined])
        for (const bad of [
          '',
          '/',
          'a//b',
          './a',
          'a/..',
          'a\\b',
          'a\0',
          'file:///etc/passwd',
          'http://',
          'http://u:p@127.0.0.1/',
        ])
          expect([bad, problemOf(bad)]).toEqual([bad, expect.any(String)])
      })

      test('OpenAPI describes every route, with what it answers and how it fails', async () => {
        const system = await start({ worker: 'none' })
        const { body } = await system.call('GET', '/openapi.json')
        expect(body.openapi).toBe('3.1.0')
        const operations = Object.entries(body.paths as Record<string, Record<string, object>>).flatMap(
          ([path, methods]) =>
            Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
        )
        for (const { path, method, operation } of operations) {
          const named = expect.objectContaining({
            summary: expect.any(String),
            responses: expect.objectContaining({ '4XX': expect.anything(), '5XX': expect.anything() }),
          })
          expect(operation, `${method} ${path}`).toEqual(named)
          expect(
            Object.keys((operation as { responses: object }).responses).some((code) => code.startsWith('2')),
          ).toBe(true)
        }
        // Only what is needed to lay out the routes is asked of it.
        const app = await buildApp({} as never)
        const routes = [...app.printRoutes({ commonPrefix: false }).matchAll(/\(([A-Z, ]+)\)/g)].flatMap(
          ([, methods]) => (methods ?? '').split(', '),
        )
        await app.close()
        // All but that of the description itself.
        expect(operations).toHaveLength(routes.length - 1)
      })

      test('beyond what may be unfinished submissions are sent away with Retry-After, whole', async () => {
        const system = await start({ worker: 'none', api: { below: 3, holdMs: 20 } })
        const project = await system.project()
        await system.submit(project, 'a.md', 'b.md', 'c.md')
        const refused = await system.call('POST', `/projects/${project}/sources`, { uris: ['d.md', 'e.md'] })
        expect(refused).toMatchObject({ status: 503, body: { code: 'TOO_MUCH_UNFINISHED' } })
        expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
        expect(await system.db.read('strong').selectFrom('sources').select('id').execute()).toHaveLength(3)
        await system.startWorker()
        await system.settled()
        const { status } = await system.call('POST', `/projects/${project}/sources`, { uri: 'd.md' })
        expect(status).toBe(202)
      })

      test('an answer that cannot be so fresh in time is none: 503, and what is eventual is there', async () => {
        const system = await start({ documents: { 'a.md': '# A' }, worker: 'none' })
        const project = await system.project()
        await system.submit(project, 'a.md')
        const never = await system.call('GET', `/projects/${project}/extractions?consistency=strong`)
        expect(never).toMatchObject({ status: 503, body: { detail: expect.stringContaining('No worker') } })
        await system.startWorker()
        await system.settled()
        await system.db.effects.pause('scrape')
        const { bookmark } = await system.submit(project, 'b.md')
        const query = `consistency=strong&after=${bookmark}&timeoutMs=30`
        for (const path of [`extractions?${query}`, `search?q=a&${query}`, `entities?${query}`]) {
          const answer = await system.call('GET', `/projects/${project}/${path}`)
          expect(answer).toMatchObject({ status: 503, body: { code: 'STALE_READ' } })
          expect(answer.headers.get('retry-after')).toBe('1')
        }
        const { hits } = (await system.call('GET', `/projects/${project}/search?q=a`)).body
        expect(hits).toMatchObject([{ uri: 'a.md' }])
      })

      // SPEC S1.12
      test('what is submitted again is read again: its rows are replaced, none is doubled', async () => {
        const system = await start({ documents: { 'a.md': '# One\n\nBy Ada Lovelace of London.\n' } })
        const project = await system.project()
        await system.submit(project, 'a.md', 'a.md')
        await system.settled()
        for (const [title, name] of [
          ['Two', 'Alan Turing'],
          ['Three', 'Grace Hopper'],
        ]) {
          write(system.folder, 'a.md', `# ${title}\n\nBy ${name} of Paris.\n`)
          const { bookmark, ids } = await system.submit(project, 'a.md')
          const query = `consistency=strong&after=${bookmark}`
          const { body } = await system.call(
            'GET',
            `/projects/${project}/search?q=${title}&sources=${ids[0]}&${query}`,
          )
          expect(body.hits).toMatchObject([{ title }])
          await system.settled()
          const { entities } = (await system.call('GET', `/projects/${project}/entities?${query}`)).body
          expect(entities.filter(({ origin }: { origin: string }) => origin === 'rules')).toMatchObject([
            { kind: 'person', name },
            { kind: 'place', name: 'Paris' },
          ])
        }
        const listing = (await system.call('GET', `/projects/${project}/extractions`)).body.extractions
        expect(listing).toMatchObject([{ title: 'Three', embed_state: 'done', llm_state: 'done' }])
      })
    })
  })
})
