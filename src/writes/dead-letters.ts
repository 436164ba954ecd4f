/**
 * Dead letters: operations that the store refused for good, kept for a person to look at and redrive.
 *
 * Keeps: law 5 (a letter leaves only in the transaction that applies its operation) and law 3 (two redrives of
 * one letter apply it once: the letter's removal is part of the group).
 */
import type { DeadLetterId } from '../contracts/operation.ts'
import type { OpenedStore } from '../contracts/store.ts'
import type { Value } from '../contracts/values.ts'
import { InvalidOperationError, TidemarkError } from '../errors.ts'
import { decodeLetter } from '../operation-json.ts'
import { ask, type BookkeepingSource } from './bookkeeping.ts'
import type { WriteEngine } from './engine.ts'
import type { Outcome, Receipt } from './receipt.ts'
import { sizeOfEffects } from './operations.ts'
import { sizeOf } from './values.ts'

export interface DeadLetter {
  readonly id: number
  readonly writer: string
  readonly epoch: number
  readonly seq: number
  readonly table: string | undefined
  /** The store's code, or `EXPECTATION_FAILED`, `UNREADABLE_INPUT`. */
  readonly code: string
  readonly message: string
  readonly attempts: number
  /**
   * The letter of the row that this one refers to, where that is why it was refused: redrive it first, or both in this
   * order. Known of rows with a preallocated id, by the foreign keys declared, as long as the engine runs.
   */
  readonly causedBy: number | undefined
  readonly rejectedAt: Date
  /** What was to be written; for input that could not be read, the text as it was. */
  readonly content: readonly DeadOperation[] | string
}

export interface DeadOperation {
  readonly kind: string
  readonly table: string | undefined
  readonly sql: string | undefined
  readonly values: readonly Value[]
}

export interface DeadLetterFilter {
  readonly table?: string
  readonly code?: string
  /** Only letters after this one: for paging. */
  readonly afterId?: number
  /** Default 100. */
  readonly limit?: number
}

const columns = 'id, writer, epoch, seq, table_name, code, message, attempts, rejected_at, content'

export async function listDeadLetters(
  source: BookkeepingSource,
  filter: DeadLetterFilter = {},
): Promise<DeadLetter[]> {
  const conditions: (readonly [string, Value])[] = []
  if (filter.table !== undefined) conditions.push(['table_name = ?', filter.table])
  if (filter.code !== undefined) conditions.push(['code = ?', filter.code])
  const also = conditions.map(([text]) => ` AND ${text}`).join('')
  const lettersAfter = (after: string): string =>
    `SELECT ${columns} FROM tidemark_dead_letters WHERE ${after}${also} ORDER BY id LIMIT ?`
  const asked = {
    sql: lettersAfter('id > ?'),
    surrealql: lettersAfter("id > type::record('tidemark_dead_letters', ?)"),
  }
  const parameters = [filter.afterId ?? 0, ...conditions.map(([, value]) => value), filter.limit ?? 100]
  const rows = await ask(source, asked, parameters)
  return rows.map(toDeadLetter)
}

/** Accepts the letters' operations again, each as a group that also removes its letter. */
export async function redrive(
  engine: WriteEngine,
  store: OpenedStore,
  ids: readonly number[],
): Promise<{ id: number; outcome: Outcome }[]> {
  const letters = await Promise.all(ids.map((id) => readRuns(store, id)))
  for (const run of letters.flatMap(({ runs }) => runs))
    for (let index = 0; index < run.count; index++) engine.pins.requireFree(run, index)
  const receipts = letters.map(({ id, runs, effects }): { id: number; receipt: Receipt } => {
    const operations = runs.reduce((sum, run) => sum + run.count, 0)
    const bytes = runs.reduce((sum, run) => sum + run.bytes, sizeOfEffects(effects))
    const group = { kind: 'group' as const, runs, redrives: id as DeadLetterId }
    return { id, receipt: engine.groupOf(group, { operations, bytes, effects }) }
  })
  return await Promise.all(
    receipts.map(async ({ id, receipt }) => ({ id, outcome: await receipt.outcome() })),
  )
}

const contentSql = {
  sql: 'SELECT content FROM tidemark_dead_letters WHERE id = ?',
  surrealql: "SELECT content FROM type::record('tidemark_dead_letters', ?)",
}

async function readRuns(store: OpenedStore, id: number) {
  const rows = await ask(store, contentSql, [id])
  if (rows.length === 0) throw new InvalidOperationError('NOT_REDRIVABLE', `there is no dead letter ${id}.`)
  const content = decodeLetter(String(rows[0]?.['content']))
  if ('text' in content) {
    throw new TidemarkError(
      'NOT_REDRIVABLE',
      `dead letter ${id} is input that could not be read, not an operation.`,
      {
        hint: 'Mend its text and write it as a new row.',
      },
    )
  }
  // A letter does not keep sizes; the queue counts them.
  const runs = content.runs.map((run) => ({
    ...run,
    bytes: run.values.reduce<number>((sum, value) => sum + sizeOf(value), 0),
  }))
  return { id, runs, effects: content.effects ?? [] }
}

function toDeadLetter(row: Record<string, unknown>): DeadLetter {
  const content = decodeLetter(String(row['content']))
  return {
    id: Number(row['id']),
    writer: String(row['writer']),
    epoch: Number(row['epoch']),
    seq: Number(row['seq']),
    table: typeof row['table_name'] === 'string' ? row['table_name'] : undefined,
    code: String(row['code']),
    message: String(row['message']),
    attempts: Number(row['attempts']),
    causedBy: 'text' in content ? undefined : content.causedBy,
    rejectedAt: new Date(Number(row['rejected_at'])),
    content:
      'text' in content ? content.text : content.runs.map(({ shape, values }) => describeRun(shape, values)),
  }
}

function describeRun(
  shape: { kind: string; table?: string; sql?: string },
  values: readonly Value[],
): DeadOperation {
  return { kind: shape.kind, table: shape.table, sql: shape.sql, values }
}
