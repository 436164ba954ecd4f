/** A program that logs into a file with pino, and ends: which of its lines are there. */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import { databaseFile, temporaryFolder } from '../support/database-file.ts'
import { messages, messagesIn, program, rowsIn } from './pino.ts'
import type { Task } from './pino-program.ts'

/** The queue holds 10,000, so the last of them wait for room when the program ends. */
const lines = 11_000

function logging(ending: Task['ending']) {
  const file = path.join(temporaryFolder(), 'app.db')
  return { file, child: program({ transport: { database: file }, lines, ending }) }
}

test('a program that has nothing left to do loses no line, and each is there once, in order', async () => {
  const { file, child } = logging('return')
  expect(await child.ended).toMatchObject({ code: 0 })
  expect(messagesIn(file)).toEqual(messages(lines))
  expect(child.stderr).toBe('')
})

test('nor does one that exits in the very turn in which it logs, before the transport has started', async () => {
  const { file, child } = logging('exit')
  expect(await child.ended).toMatchObject({ code: 0 })
  expect(messagesIn(file)).toEqual(messages(lines))
})

test('nor one that ends with an error that nobody catches', async () => {
  const { file, child } = logging('throw')
  expect(await child.ended).toMatchObject({ code: 1 })
  expect(child.stderr).toContain('nobody catches this')
  expect(messagesIn(file)).toEqual(messages(lines))
})

test('nor one that ends itself when SIGTERM tells it to', async () => {
  const { file, child } = logging('handle')
  await child.said('logged')
  child.stop()
  expect(await child.ended).toMatchObject({ code: 0 })
  expect(messagesIn(file)).toEqual([...messages(lines), 'told to end'])
})

test('one that SIGTERM ends has what was flushed, and of the rest a beginning, without gaps', async () => {
  const { file, child } = logging('hold')
  await child.said('holding')
  child.stop()
  expect(await child.ended).toMatchObject({ signal: 'SIGTERM' })
  const found = messagesIn(file)
  expect(found.length).toBeGreaterThanOrEqual(lines)
  expect(found).toEqual(messages(2 * lines).slice(0, found.length))
})

test('what was flushed survives a kill as well', async () => {
  const { file, child } = logging('hold')
  await child.said('flushed')
  await child.kill()
  expect(rowsIn(file).length).toBeGreaterThanOrEqual(lines)
})

test('a database that stays locked holds the program up for a while only, and the lines are in the fallback file', async () => {
  const file = databaseFile('')
  const fallbackFile = path.join(path.dirname(file), 'lost.ndjson')
  const transport = { database: file, fallbackFile, closeTimeoutMs: 500 }
  const child = program({ transport, lines, ending: 'pause' })
  await child.said('flushed')
  const other = new DatabaseSync(file)
  other.exec('BEGIN IMMEDIATE')
  child.tell('go on')
  expect(await child.ended).toMatchObject({ code: 0 })
  other.exec('ROLLBACK')
  other.close()
  const kept = readFileSync(fallbackFile, 'utf8').trimEnd().split('\n')
  const texts = kept.map((line) => (JSON.parse(line) as { msg: string }).msg)
  expect([...messagesIn(file), ...texts]).toEqual(messages(lines))
})
