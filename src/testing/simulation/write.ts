/** Makes the calls of a program: writes, and the query that reads everything. */
import { CompiledQuery } from 'kysely'
import { StoreError, type Inserted, type Receipt, type Session, type Tidemark } from '../../index.ts'
import type { Part, Write, WriteId } from './program.ts'

export interface Tables {
  cells: { key: string; n: number }
  results: { key: string; of: number }
  log: { id?: number; write: number }
  links: { id?: number; write: number; cell: string }
}

export type Engine = Tidemark<Tables>
export type Lane = Engine | Session<Tables>
type Group = Parameters<Parameters<Engine['atomic']>[0]>[0]
export type Transaction = Parameters<Parameters<Engine['transaction']>[0]>[0]

export const everything: string =
  'SELECT (SELECT json_group_object(key, n) FROM cells) AS cells, ' +
  '(SELECT json_group_object(key, of) FROM results) AS results, ' +
  '(SELECT json_group_array(write) FROM (SELECT write FROM log ORDER BY id)) AS log'

/** The source of all loads. Its checkpoint is the load that was committed last. */
export const source = 'generated'

export function accept(lane: Lane, write: Exclude<Write, { kind: 'transaction' }>, id: WriteId): Receipt {
  if (write.kind === 'group')
    return lane.atomic((group) => write.parts.forEach((part) => void acceptPart(group, part, id)))
  if (write.kind === 'load') {
    return lane.insertMany(
      'log',
      write.bad.map((isBad) => ({ write: isBad ? -id : id })),
      {
        atomic: false,
        checkpoint: { source, value: id },
        unreadable: Array.from({ length: write.letters }, () => ({ text: `${id}`, error: 'unreadable' })),
      },
    )
  }
  return acceptPart(lane, write, id) as Receipt
}

function acceptPart(lane: Lane | Group, part: Part, id: WriteId): Receipt | Inserted | void {
  switch (part.kind) {
    case 'append':
      return lane.insert('log', { write: part.isBad ? -id : id })
    case 'insert':
      return lane.insert('cells', { key: part.key, n: part.n })
    case 'upsert':
      return lane.upsert('cells', { key: part.key, n: part.n })
    case 'update':
      return lane.update(
        'cells',
        part.was === undefined ? { key: part.key } : { key: part.key, n: part.was },
        { n: part.n },
        part.expect === undefined ? {} : { expect: part.expect },
      )
    case 'delete':
      return lane.delete('cells', { key: part.key }, part.expect === undefined ? {} : { expect: part.expect })
    case 'add':
      return lane.write(statementOf(part, id))
    case 'link':
      return lane.insert('links', { write: id, cell: part.key })
  }
}

/** The parts, one after another, with what its callback does at the end. */
export async function transact(
  transaction: Transaction,
  write: Write & { kind: 'transaction' },
  id: WriteId,
): Promise<void> {
  for (const part of write.parts) {
    const { sql, parameters } = statementOf(part, id)
    try {
      await transaction.executeQuery(CompiledQuery.raw(sql, [...parameters]))
    } catch (error) {
      const isRefusal = error instanceof StoreError && error.failure === 'rejected'
      if (write.onRefusal === 'throw' || !isRefusal) throw error
    }
  }
  if (write.ending === 'throw') throw new Error('the callback gave up')
  if (write.ending === 'hang') await new Promise(() => undefined)
}

function statementOf(part: Part, id: WriteId): { sql: string; parameters: readonly (string | number)[] } {
  switch (part.kind) {
    case 'append':
      return { sql: 'INSERT INTO log (write) VALUES (?)', parameters: [part.isBad ? -id : id] }
    case 'insert':
      return { sql: 'INSERT INTO cells (key, n) VALUES (?, ?)', parameters: [part.key, part.n] }
    case 'upsert':
      return {
        sql: 'INSERT INTO cells (key, n) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET n = excluded.n',
        parameters: [part.key, part.n],
      }
    case 'update':
      return part.was === undefined
        ? { sql: 'UPDATE cells SET n = ? WHERE key = ?', parameters: [part.n, part.key] }
        : { sql: 'UPDATE cells SET n = ? WHERE key = ? AND n = ?', parameters: [part.n, part.key, part.was] }
    case 'delete':
      return { sql: 'DELETE FROM cells WHERE key = ?', parameters: [part.key] }
    case 'add':
      return {
        sql: `UPDATE ${part.orRollback ? 'OR ROLLBACK ' : ''}cells SET n = n + ? WHERE n < ?`,
        parameters: [part.n, part.below],
      }
    case 'link':
      return { sql: 'INSERT INTO links (write, cell) VALUES (?, ?)', parameters: [id, part.key] }
  }
}
