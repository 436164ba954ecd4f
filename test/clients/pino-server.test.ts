/** A program that logs to a server with pino. */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { serve } from '../../src/server/index.ts'
import { running } from '../server/running.ts'
import { temporaryFolder } from '../support/database-file.ts'
import { messages, messagesIn, program, rowsIn } from './pino.ts'
import { scriptedServer } from './scripted-server.ts'

const lines = 10_000

test.each(['return', 'exit', 'throw'] as const)(
  'every line of a program that ends (%s) is at the server, once, in order, when the program is gone',
  async (ending) => {
    const { url, file } = await running()
    const child = program({ transport: { url }, lines, ending, logger: { name: 'api' } })
    expect(await child.ended).toMatchObject({ signal: null })
    expect(messagesIn(file)).toEqual(messages(lines))
    expect(rowsIn(file)[0]).toMatchObject({ level: 'info', service: 'api' })
  },
)

test('a server that is away for a moment gets everything when it is back, once, in order', async () => {
  const { url, file, logs, server } = await running()
  const child = program({ transport: { url, closeTimeoutMs: 9_000 }, lines: 2_000, ending: 'pause' })
  await child.said('flushed')
  await server.close()
  child.tell('go on')
  await child.said('logged')
  const again = await serve({ logs, port: Number(new URL(url).port), dashboard: false })
  expect(await child.ended).toMatchObject({ code: 0 })
  await again.close()
  expect(messagesIn(file)).toEqual(messages(2_000))
})

test('lines that the server does not take in time are in the fallback file, and a line says how many', async () => {
  const fallbackFile = path.join(temporaryFolder(), 'lost.ndjson')
  const { url, received } = await scriptedServer([{ status: 503 }])
  const transport = { url, fallbackFile, closeTimeoutMs: 100 }
  const child = program({ transport, lines: 2_500, ending: 'return' })
  expect(await child.ended).toMatchObject({ code: 0 })
  expect(received.length).toBeGreaterThan(0)
  const kept = readFileSync(fallbackFile, 'utf8').trimEnd().split('\n')
  expect(kept.map((line) => (JSON.parse(line) as { msg: string }).msg)).toEqual(messages(2_500))
  expect(child.stderr).toContain(`2500 log lines could not be stored in time and are in ${fallbackFile}.`)
  expect(child.stderr).toContain(`${url} does not take log lines: 503`)
})

test('without such a file the line says that they are lost', async () => {
  const { url } = await scriptedServer([{ status: 503 }])
  const child = program({ transport: { url, closeTimeoutMs: 100 }, lines: 1, ending: 'return' })
  await child.ended
  expect(child.stderr).toContain('1 log line could not be stored in time and are lost.')
})

test('a buffer that stays full holds a program up for a while only: what is behind goes into the fallback file', async () => {
  const fallbackFile = path.join(temporaryFolder(), 'lost.ndjson')
  const { url } = await scriptedServer([{ status: 503 }])
  const transport = { url, fallbackFile, closeTimeoutMs: 200, maxLines: 500 }
  const child = program({ transport, lines: 30_000, ending: 'return' })
  expect(await child.ended).toMatchObject({ code: 0 })
  const kept = readFileSync(fallbackFile, 'utf8').trimEnd().split('\n')
  const texts = kept.map((line) => (JSON.parse(line) as { msg: string }).msg)
  expect(texts.toSorted()).toEqual(messages(30_000).toSorted())
  expect(child.stderr).toMatch(/log lines have no room and are in /)
})
