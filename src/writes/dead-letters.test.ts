import { expect, test } from 'vitest'
import { scriptedEngine } from '../../test/support/scripted-engine.ts'
import { encodeLetter } from '../operation-json.ts'
import { redrive } from './dead-letters.ts'

const shape = { kind: 'insert', table: 't', key: 'k', width: 2, columns: ['id', 'v'] } as const
const values = [1, 'x'.repeat(1_000), 2, new Uint8Array(500)]
const content = encodeLetter({ runs: [{ kind: 'run', shape, count: 2, bytes: 0, values }] })

test('law 7 · a redriven letter counts in the queue as its operations did: by number and by size', async () => {
  const { engine, store, runtime } = scriptedEngine()
  store.query = async () => ({ rows: [{ content }], changes: 0, lastInsertId: undefined })
  const redriven = redrive(engine, store, [7])
  await runtime.settle()
  expect([engine.queue.operations, engine.queue.bytes]).toEqual([2, 2_516])
  await store.landAll(() => runtime.settle())
  expect((await redriven).map(({ id, outcome }) => [id, outcome.kind])).toEqual([[7, 'committed']])
  expect(store.applied).toEqual(['group of 1 2'])
})

test('law 1 · a letter that is not there, or is no operation, redrives nothing, and none of the others', async () => {
  const { engine, store, runtime } = scriptedEngine()
  const letters = new Map([
    [1, content],
    [2, encodeLetter({ text: 'half a line' })],
  ])
  store.query = async ({ parameters }) => {
    const found = letters.get(Number(parameters[0]))
    return { rows: found === undefined ? [] : [{ content: found }], changes: 0, lastInsertId: undefined }
  }
  for (const ids of [
    [1, 9],
    [1, 2],
  ])
    await expect(redrive(engine, store, ids)).rejects.toMatchObject({ code: 'NOT_REDRIVABLE' })
  await runtime.settle()
  expect([engine.queue.operations, store.log]).toEqual([0, []])
})
