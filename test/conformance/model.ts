/** What a table must hold after a program of operations: the simplest thing that could be right. */
import type { Dialect, Receipt } from '../../src/index.ts'
import { reasonOf, translate } from '../../src/testing/sql.ts'
import type { AnyTidemark } from '../../src/testing/stage.ts'

export const cellsTable = 'CREATE TABLE cells (key TEXT PRIMARY KEY, n INTEGER NOT NULL CHECK (n >= 0))'

/** One write of the program; a group holds several. */
export type Operation =
  | { readonly kind: 'insert' | 'upsert'; readonly key: string; readonly n: number }
  | { readonly kind: 'update'; readonly key: string; readonly n: number; readonly expect: number | undefined }
  | { readonly kind: 'delete'; readonly key: string; readonly expect: number | undefined }
  /** Adds to every cell below a limit; as SQLite alone can, in a way that ends the transaction when it fails. */
  | { readonly kind: 'add'; readonly n: number; readonly below: number; readonly orRollback: boolean }
  | { readonly kind: 'group' | 'load' | 'transaction'; readonly operations: readonly Operation[] }

type Cells = Map<string, number>

/** Applies an operation to the model. @returns how it ends: every part of a load by itself */
export function applyToModel(cells: Cells, operation: Operation): string {
  const before = new Map(cells)
  const ending = applyPart(cells, operation)
  if (ending !== 'committed' && operation.kind !== 'load') {
    cells.clear()
    for (const [key, n] of before) cells.set(key, n)
  }
  return ending
}

function applyPart(cells: Cells, operation: Operation): string {
  switch (operation.kind) {
    case 'insert':
      if (operation.n < 0) return 'check'
      if (cells.has(operation.key)) return 'unique'
      cells.set(operation.key, operation.n)
      return 'committed'
    case 'upsert':
      if (operation.n < 0) return 'check'
      cells.set(operation.key, operation.n)
      return 'committed'
    case 'update': {
      const changes = cells.has(operation.key) ? 1 : 0
      if (changes === 1 && operation.n < 0) return 'check'
      if (operation.expect !== undefined && operation.expect !== changes) return 'EXPECTATION_FAILED'
      if (changes === 1) cells.set(operation.key, operation.n)
      return 'committed'
    }
    case 'delete': {
      const changes = cells.has(operation.key) ? 1 : 0
      if (operation.expect !== undefined && operation.expect !== changes) return 'EXPECTATION_FAILED'
      cells.delete(operation.key)
      return 'committed'
    }
    case 'add':
      for (const [key, n] of cells) {
        if (n >= operation.below) continue
        if (n + operation.n < 0) return 'check'
        cells.set(key, n + operation.n)
      }
      return 'committed'
    case 'load': {
      const rejected = operation.operations.filter((part) => applyToModel(cells, part) !== 'committed')
      return `${rejected.length} rejected`
    }
    case 'group':
    case 'transaction':
      for (const part of operation.operations) {
        const ending = applyToModel(cells, part)
        if (ending !== 'committed') return ending
      }
      return 'committed'
  }
}

/** Accepts an operation. @returns how it ends, in the model's words */
export function write(db: AnyTidemark, operation: Operation, dialect: Dialect): Promise<string> {
  if (operation.kind === 'transaction') return transact(db, operation.operations)
  if (operation.kind === 'group')
    return endingOf(db.atomic((group) => operation.operations.forEach((part) => call(group, part, dialect))))
  if (operation.kind === 'load') {
    const rows = operation.operations.map((part) =>
      part.kind === 'insert' ? { key: part.key, n: part.n } : {},
    )
    return db.insertMany('cells', rows, { atomic: false }).then(({ rejected }) => `${rejected} rejected`)
  }
  return endingOf(call(db, operation, dialect))
}

type Writer<R, I> = {
  insert(table: string, row: Record<string, unknown>): I
  upsert(table: string, row: Record<string, unknown>): R
  update(table: string, key: object, set: object, options?: { expect?: number }): R
  delete(table: string, key: object, options?: { expect?: number }): R
  write(query: { sql: string; parameters: readonly unknown[] }): R
}

function call<R, I>(writer: Writer<R, I>, operation: Operation, dialect: Dialect): R | I {
  switch (operation.kind) {
    case 'insert':
    case 'upsert':
      return writer[operation.kind]('cells', { key: operation.key, n: operation.n })
    case 'update':
      return writer.update('cells', { key: operation.key }, { n: operation.n }, guardOf(operation))
    case 'delete':
      return writer.delete('cells', { key: operation.key }, guardOf(operation))
    case 'add':
      return writer.write(sqlOf(operation, dialect))
    default:
      throw new Error(`a ${operation.kind} holds no ${operation.kind}`)
  }
}

function guardOf({ expect }: { readonly expect: number | undefined }): { expect?: number } {
  return expect === undefined ? {} : { expect }
}

function sqlOf(
  { n, below, orRollback }: Operation & { kind: 'add' },
  dialect: Dialect,
): { sql: string; parameters: number[] } {
  const how = orRollback && dialect === 'sqlite' ? 'OR ROLLBACK ' : ''
  return { sql: translate(`UPDATE ${how}cells SET n = n + ? WHERE n < ?`, dialect), parameters: [n, below] }
}

async function endingOf(receipt: Receipt): Promise<string> {
  const outcome = await receipt.outcome()
  if (outcome.kind === 'rejected') return reasonOf(outcome.error.storeCode)
  return outcome.kind === 'committed' ? 'committed' : `${outcome.error.code} ${outcome.error.outcome}`
}

/** The parts, one by one, on the transaction's own Kysely; the first that fails throws, and so rolls back. */
async function transact(db: AnyTidemark, operations: readonly Operation[]): Promise<string> {
  try {
    await db.transaction(async (trx) => {
      for (const operation of operations) {
        if (operation.kind === 'insert')
          await trx.insertInto('cells').values({ key: operation.key, n: operation.n }).execute()
        else if (operation.kind === 'delete')
          await trx.deleteFrom('cells').where('key', '=', operation.key).execute()
      }
    })
    return 'committed'
  } catch (error) {
    return error instanceof Error && 'storeCode' in error ? reasonOf(String(error.storeCode)) : String(error)
  }
}
