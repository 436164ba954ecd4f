/** S1: requests to an LLM that is slow, refuses, fails and dies, through Redis that forgets. */
import { expect, onTestFinished, test } from 'vitest'
import { withExample } from '../support/examples.ts'
import { withServer } from '../support/servers/installed.ts'
import { embeddedPostgres } from '../support/servers/postgres.ts'
import { redisServer } from '../support/servers/redis.ts'
import { part, System } from './extraction-system.ts'

const text = { 'a.txt': 'The harbour of Oslo\nShips from the harbour went north in the spring of 1843.\n' }

await withExample('extraction', async () => {
  const { asMarkdown, madeDocument } = await import('../../examples/extraction/made.ts')
  const { LlmClient } = await import('../../examples/extraction/llm/client.ts')
  const { Model } = await import('../../examples/extraction/llm/model.ts')
  const { counts, names } = await import('../../examples/extraction/llm/redis.ts')
  const { LlmWorker } = await import('../../examples/extraction/llm/worker.ts')

  const many = (of: number): Record<string, string> =>
    Object.fromEntries(Array.from({ length: of }, (_, n) => [`${n}.md`, asMarkdown(madeDocument(1, n))]))

  await withServer(embeddedPostgres, async (postgres) => {
    await withServer(redisServer, (redis) => {
      const start = async (setting: Parameters<typeof System.start>[1]): Promise<System> =>
        await System.start({ postgres: await postgres.createDatabase(), redis: redis.url }, setting)
      const states = async (system: System): Promise<Record<string, unknown>[]> =>
        await system.db
          .read('strong')
          .selectFrom('extractions')
          .select(['llm_state', 'summary', 'problem'])
          .execute()

      // SPEC S1.10
      test('a reply after the timeout is kept and used by the next attempt: the model is called once', async () => {
        const system = await start({ documents: text, model: { latencyMs: 400 }, worker: { replyMs: 80 } })
        await system.submit(await system.project(), 'a.txt')
        await system.settled()
        expect(await states(system)).toMatchObject([
          { llm_state: 'done', summary: expect.stringContaining('Ships') },
        ])
        expect(system.model.calls).toBe(1)
        expect(await counts(system.redis)).toMatchObject({ asked: 1, calls: 1, late: 1 })
      })

      test('what is refused is tried again, fewer at once, until all of it is done', async () => {
        const system = await start({ documents: many(60), model: { latencyMs: 20, parallel: 2 } })
        await system.submit(await system.project(), ...Object.keys(many(60)))
        await system.settled()
        expect((await states(system)).map((row) => row['llm_state'])).toEqual(Array(60).fill('done'))
        expect(system.model).toMatchObject({ calls: 60, peak: 2 })
        expect((await counts(system.redis))['refused']).toBeGreaterThan(0)
        expect(await system.db.effects.deadLetters()).toEqual([])
      })

      test('what fails for ever is a dead letter, its row says so, and a redrive does it', async () => {
        const system = await start({
          documents: text,
          model: { failureShare: 1 },
          worker: { handle: { maxAttempts: 2, retryFirstMs: 1, retryMaxMs: 1 } },
        })
        const { ids } = await system.submit(await system.project(), 'a.txt')
        await system.settled()
        const status = await system.call('GET', `/sources/${ids[0]}/status`)
        expect(status.body).toMatchObject({
          state: 'extracted',
          problem: expect.stringContaining('lost its thread'),
          totalMs: null,
          steps: { embed: { state: 'done' }, llm: { state: 'failed' } },
        })
        expect(await system.api.agreement.look()).toMatchObject([{ name: 'deadLetters', keys: ['llm'] }])
        const { deadLetters } = (await system.call('GET', '/dead-letters?kind=llm')).body
        expect(deadLetters).toMatchObject([
          { kind: 'llm', key: ids[0], payload: { revision: expect.any(String) } },
        ])

        system.model.settings.failureShare = 0
        const redriven = await system.call('POST', '/dead-letters/redrive', {
          ids: [deadLetters[0].id, 'no-such-1'],
        })
        expect(redriven.status).toBe(422)
        const { body } = await system.call('POST', '/dead-letters/redrive', { ids: [deadLetters[0].id] })
        expect(body).toEqual({ redriven: [deadLetters[0].id] })
        await system.settled()
        expect(await states(system)).toMatchObject([{ llm_state: 'done', problem: null }])
        expect(await system.api.agreement.look()).toEqual([])
      })

      test('a model that is out uses up no attempts: once it is back, it is asked again', async () => {
        const system = await start({
          documents: text,
          model: { isOut: true },
          worker: { handle: { maxAttempts: 2, retryFirstMs: 1, retryMaxMs: 1 } },
        })
        await system.submit(await system.project(), 'a.txt')
        await system.until(async () => ((await counts(system.redis))['out'] ?? 0) > 2)
        system.model.settings.isOut = false
        await system.settled()
        expect(await states(system)).toMatchObject([{ llm_state: 'done' }])
        expect(await system.db.effects.deadLetters()).toEqual([])
        expect(system.model.calls).toBe(1)
      })

      test('Redis dies with every request and reply in it: all are asked for again', async () => {
        const system = await start({
          documents: many(20),
          model: { latencyMs: 300, parallel: 5 },
          worker: { replyMs: 2_000 },
        })
        await system.submit(await system.project(), ...Object.keys(many(20)))
        await system.until(() => system.model.calls > 2)
        await redis.kill()
        await redis.startAgain()
        await system.settled()
        expect((await states(system)).map((row) => row['llm_state'])).toEqual(Array(20).fill('done'))
      })

      test('a reply whose publishing was lost is found by looking', async () => {
        await redis.client.flushall()
        const client = new LlmClient(redis.url, { pollMs: 20 })
        onTestFinished(() => client.close())
        const asked = client.ask('1-1-1', 'text', AbortSignal.timeout(30_000))
        while ((await redis.client.xlen(names.requests)) === 0);
        const reply = { kind: 'done', summary: 'short', topics: ['text'] } as const
        await redis.client.set(names.reply('1-1-1'), JSON.stringify(reply))
        expect(await asked).toEqual(reply)
        while ((await counts(redis.client))['polled'] !== 1);
      })

      test('a request that a worker died with is given out again: to its successor at once, to another after a while', async () => {
        await redis.client.flushall()
        const client = new LlmClient(redis.url)
        onTestFinished(() => client.close())
        const taken = async (by: number): Promise<void> => {
          for (;;) {
            const pending = await redis.client.xpending(names.requests, names.group).catch(() => [0])
            if (pending[0] === by) return
          }
        }
        const first = part('llm', '--redis', redis.url, '--name', 'llm-1', '--latency-ms', 3_600_000)
        await first.said('answering')
        const asked = ['1-1-1', '1-1-2'].map((id) =>
          client.ask(id, 'a text of some words', AbortSignal.timeout(60_000)),
        )
        await taken(2)
        await first.kill()
        const model = new Model({ latencyMs: 1 })
        const other = new LlmWorker(redis.url, model, { name: 'llm-2', claimAfterMs: 50 })
        onTestFinished(() => other.stop())
        expect(await Promise.all(asked)).toMatchObject([{ kind: 'done' }, { kind: 'done' }])
        expect(await counts(redis.client)).toMatchObject({ asked: 2, 'taken over': 2 })
        await other.stop()

        const second = part('llm', '--redis', redis.url, '--name', 'llm-1', '--latency-ms', 3_600_000)
        const more = client.ask('1-1-3', 'a text of some words', AbortSignal.timeout(60_000))
        await taken(1)
        await second.kill()
        const successor = new LlmWorker(redis.url, model, { name: 'llm-1', claimAfterMs: 3_600_000 })
        onTestFinished(() => successor.stop())
        expect(await more).toMatchObject({ kind: 'done' })
      })
    })
  })
})
