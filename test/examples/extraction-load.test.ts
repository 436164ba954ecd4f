/** S1: how fast, how the LLM's limits are kept to, where throughput stops growing, and what the pool does then. */
import { expect, test } from 'vitest'
import { withExample } from '../support/examples.ts'
import { withServer } from '../support/servers/installed.ts'
import { embeddedPostgres } from '../support/servers/postgres.ts'
import { redisServer } from '../support/servers/redis.ts'
import { temporaryFolder } from '../support/database-file.ts'
import { call, documents, part } from './extraction-system.ts'

await withExample('extraction', async () => {
  const { phasesOf } = await import('../../examples/extraction/bench/limits.ts')
  const { kneeOf } = await import('../../examples/extraction/bench/load.ts')
  const { readersIn } = await import('../../examples/extraction/bench/metrics.ts')

  test('a limit of the LLM is found where no more calls than it takes are under way; what is above counts from then on', () => {
    const samples = [8, 9, 8, 7, 4, 3, 4, 3].map((calls, at) => ({
      atMs: at * 10,
      calls,
      taken: at < 2 ? 8 : 3,
    }))
    expect(phasesOf(samples)).toEqual([
      { taken: 8, foundMs: 0, most: 9 },
      { taken: 3, foundMs: 30, most: 4 },
    ])
    expect(phasesOf(samples.slice(2, 5))).toEqual([{ taken: 3, foundMs: undefined, most: Infinity }])
  })

  test('throughput stops growing where neither of the next two steps brings a tenth', () => {
    const readers = { open: 1, limit: 1, max: 8, waits: 0 }
    const steps = (...rates: readonly number[]) =>
      rates.map((perSecond, at) => ({ clients: 2 ** at, perSecond, medianMs: 1, readers }))
    expect(kneeOf(steps(10, 20, 21))).toBeUndefined()
    expect(kneeOf(steps(10, 20, 21, 30))).toBeUndefined()
    expect(kneeOf(steps(10, 20, 21, 19))).toMatchObject({ clients: 2, perSecond: 20 })
  })

  await withServer(embeddedPostgres, async (postgres) => {
    await withServer(redisServer, (redis) => {
      test('the usual way makes the same of the documents; documents a second of both are printed', async () => {
        const bench = part(
          'bench',
          '--documents',
          20,
          '--warm-up',
          2,
          '--rounds',
          1,
          '--latency-ms',
          5,
          '--workers',
          1,
        )
        expect(await bench.ended, bench.stderr).toMatchObject({ code: 0 })
        expect(bench.lines.filter((line) => line.includes('medians'))).toEqual([
          expect.stringMatching(
            /^LLM 5 ms, .*naive \d+\.\d .*Tidemark \d+\.\d .*; \d+\.\d .* times in a round$/,
          ),
        ])
      })

      // SPEC S1.8
      test('an LLM that refuses, fails some and is out is asked until all is done, and nothing is given up', async () => {
        const limits = part(
          'limits',
          '--parallel',
          '3,1',
          '--phase-ms',
          800,
          '--latency-ms',
          20,
          '--outage-ms',
          500,
        )
        // How many calls there were at once is printed, and judged by whoever measures: here others use the machine.
        await limits.ended
        expect(limits.lines.join('\n'), limits.stderr).toMatch(
          /it takes 3: .*\nit takes 1: .*\n.*refused [\d.]+ %\nout for .* given up: 0/,
        )
      })

      // SPEC S1.6
      test('connections for reads grow with the reads that wait, up to --readers; then /metrics counts who waits', async () => {
        const reach = ['--postgres', await postgres.createDatabase(), '--redis', redis.url]
        const vectors = part('vectors', '--state', temporaryFolder())
        const more = [
          '--vectors',
          await vectors.said('vectors'),
          '--check-every-ms',
          3_600_000,
          '--readers',
          3,
        ]
        const api = part('serve', ...reach, ...more)
        part(
          'worker',
          ...reach,
          ...more.slice(0, 2),
          '--folder',
          documents({ 'a.txt': 'A text\nof some words.\n' }),
        )
        const url = await api.said('api')
        const dashboard = await api.said('dashboard')
        const { id: project } = (await call(url, 'POST', '/projects', { name: 'pool' })).body
        await call(url, 'POST', `/projects/${project}/sources`, { uri: 'a.txt' })
        const before = await readersIn(dashboard)
        expect(before.max).toBe(3)

        const search = `/projects/${project}/search?q=words&consistency=strong&timeoutMs=60000`
        let now = before
        while (now.limit < 3 || now.waits === before.waits) {
          const asked = Array.from({ length: 30 }, () => call(url, 'GET', search))
          for (const { status } of await Promise.all(asked)) expect(status).toBe(200)
          now = await readersIn(dashboard)
          expect(now.open).toBeLessThanOrEqual(3)
        }
      })
    })
  })
})
