import { expect, test } from 'vitest'
import { gate } from './consistency.ts'

const query = { sql: 'SELECT 1', parameters: [] }
const result = { rows: [{ one: 1 }], changes: 0, lastInsertId: undefined }

test('law 6 · an eventual read runs at once, a strong one when the flush is done', async () => {
  const steps: string[] = []
  const run = async () => {
    steps.push('read')
    return result
  }
  const flushed = Promise.withResolvers<void>()
  const flush = () => {
    steps.push('flush')
    return flushed.promise
  }
  expect(await gate('eventual', run, flush)(query)).toBe(result)
  expect(steps.splice(0)).toEqual(['read'])
  const strong = gate('strong', run, flush)(query)
  expect(steps).toEqual(['flush'])
  flushed.resolve()
  expect(await strong).toBe(result)
  expect(steps).toEqual(['flush', 'read'])
})

test('law 6 · a strong read whose flush fails does not run', async () => {
  const run = () => expect.fail('it ran')
  await expect(gate('strong', run, () => Promise.reject(new Error('stopped')))(query)).rejects.toThrow(
    'stopped',
  )
})

test('a level that does not exist is refused', () => {
  expect(() =>
    gate(
      'soon' as 'strong',
      () => expect.fail(),
      () => expect.fail(),
    ),
  ).toThrow(/levels: eventual, strong/)
})
