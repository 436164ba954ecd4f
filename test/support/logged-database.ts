/**
 * Database files with commits in their log alone, as a process leaves them that is killed with -9, to be damaged
 * and opened again. Positions are row numbers, so the tidemark of an epoch says exactly which rows must be there.
 */
import { copyFileSync, existsSync } from 'node:fs'
import path from 'node:path'
import type { Generated } from 'kysely'
import { expect } from 'vitest'
import { open, TidemarkError } from '../../src/index.ts'
import { sqlite } from '../../src/stores/sqlite/index.ts'
import { Child } from './child.ts'
import { databaseFile, look, temporaryFolder } from './database-file.ts'

export interface LoggedRow {
  /** Which of the processes wrote it: 1, 2, 3, … */
  readonly opening: number
  readonly n: number
  readonly text: string
}

interface Rows extends LoggedRow {
  readonly id: Generated<number>
}

/** The index scatters the rows over pages that are there already: a log is laid over all of them. */
const schema = `
  CREATE TABLE rows (id INTEGER PRIMARY KEY, opening INTEGER NOT NULL, n INTEGER NOT NULL, text TEXT NOT NULL);
  CREATE INDEX rows_by_text ON rows (text);`

export function rowOf(opening: number, n: number): LoggedRow {
  const scattered = Math.imul(opening * 100_000 + n, 0x9e3779b1) >>> 0
  return { opening, n, text: `${scattered} `.padEnd(100 + (scattered % 200), '.') }
}

/** One process behind the other writes to one file, each as an epoch of its own. */
export class LoggedDatabase {
  readonly file = databaseFile(schema)
  #writer: { readonly child: Child; written: number } | undefined
  #openings = 0

  /** @returns the bookmark of the last of these rows */
  async write(rows: number): Promise<string> {
    this.#writer ??= {
      child: new Child(new URL('../fault/log-process.ts', import.meta.url), [this.file, ++this.#openings]),
      written: 0,
    }
    this.#writer.written += rows
    this.#writer.child.tell(String(rows))
    return await this.#writer.child.said(`written ${this.#writer.written}`)
  }

  /** The writer's end, with its log left as it is. */
  async kill(): Promise<void> {
    await this.#writer?.child.kill()
    this.#writer = undefined
  }

  /** The writer's end, with its log copied back and removed. */
  async close(): Promise<void> {
    this.#writer?.child.endInput()
    await this.#writer?.child.ended
    this.#writer = undefined
  }

  /** The file and its log as they are now, somewhere else. */
  copy(): string {
    const copy = path.join(temporaryFolder(), 'app.db')
    for (const ending of ['', '-wal', '-shm'])
      if (existsSync(this.file + ending)) copyFileSync(this.file + ending, copy + ending)
    return copy
  }
}

/**
 * Opens what is left of a file with an engine, holds it against what it says of itself, and writes to it.
 *
 * @returns the tidemark of each epoch, by which its rows are there, each once, and no others; or why it was refused,
 *   with what to do
 */
export async function reopened(file: string): Promise<number[] | TidemarkError> {
  return await refusalOr(async () => {
    const { tidemarks, rows } = await readBack(file)
    expect(rows).toEqual(rowsUpTo(tidemarks))
    expect(look(file, 'PRAGMA integrity_check')).toEqual([{ integrity_check: 'ok' }])
    return tidemarks
  })
}

/** What the attempt gives, or the refusal of the store, which says what to do. */
export async function refusalOr<T>(attempt: () => Promise<T>): Promise<T | TidemarkError> {
  try {
    return await attempt()
  } catch (error) {
    if (!(error instanceof TidemarkError && error.code === 'STORE_FAILED')) throw error
    expect(error.hint, error.message).toMatch(/restore|put back/i)
    return error
  }
}

export function rowsUpTo(tidemarks: readonly number[]): LoggedRow[] {
  return tidemarks.flatMap((tidemark, index) =>
    Array.from({ length: tidemark }, (_, row) => rowOf(index + 1, row + 1)),
  )
}

/** All rows by the table, and again by its index; and one more is written. */
export async function readBack(file: string): Promise<{ tidemarks: number[]; rows: LoggedRow[] }> {
  const db = await open<{ rows: Rows; tidemark_writers: { epoch: number; watermark: number } }>(
    sqlite(file),
    { writer: 'logging' },
  )
  try {
    const read = db.read('strong')
    const writers = await read
      .selectFrom('tidemark_writers')
      .select(['epoch', 'watermark'])
      .where('epoch', '<', db.epoch)
      .orderBy('epoch')
      .execute()
    const rows = await read.selectFrom('rows').select(['opening', 'n', 'text']).orderBy('id').execute()
    await read.selectFrom('rows').selectAll().orderBy('text').execute()
    await db.insert('rows', rowOf(0, 1))
    return { tidemarks: writers.map(({ watermark }) => watermark), rows }
  } finally {
    await db.close()
  }
}
