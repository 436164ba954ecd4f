/** What tests of `ingest --follow` have in common: a command that follows, and what has come of it so far. */
import { existsSync } from 'node:fs'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect } from 'vitest'
import { look } from '../support/database-file.ts'
import { Command, type Result } from './command.ts'
import { tableOf } from './inputs.ts'

export class Follower {
  readonly command: Command
  readonly #folder: string
  readonly #name: string

  /** @param parameters behind `ingest --follow`, the file first */
  constructor(folder: string, ...parameters: readonly [string, ...string[]]) {
    this.#folder = folder
    this.#name = parameters[0]
    this.command = new Command(folder, ['ingest', '--follow', ...parameters])
  }

  /** Resolves when the lines with these numbers are in, besides any others. */
  async wrote(...numbers: readonly number[]): Promise<void> {
    await this.command.reached(`wrote ${numbers.join(', ')}`, () => {
      const written = new Set(numbersIn(this.#folder, this.#name))
      return numbers.every((n) => written.has(n))
    })
  }

  /** Ctrl-C, which must be all there is to say. */
  async stop(expected = ''): Promise<Result> {
    const result = await this.command.kill('SIGINT')
    const stopping = 'tidemark: stopping; what was read is being committed (again to end at once)\n'
    expect(result).toMatchObject({ code: 130, signal: null, stderr: expected + stopping })
    return result
  }
}

/** The numbers of the lines that are in, in the order in which they came. None while there is no table. */
export function numbersIn(folder: string, name: string): number[] {
  const file = path.join(folder, 'app.db')
  if (!existsSync(file)) return []
  const { table, n } = tableOf(name)
  const database = new DatabaseSync(file, { readOnly: true, timeout: 10_000 })
  try {
    if (!database.prepare('SELECT 1 FROM sqlite_schema WHERE name = ?').get(table)) return []
    return database
      .prepare(`SELECT ${n} AS n FROM "${table}" ORDER BY rowid`)
      .all()
      .map((row) => Number(row['n']))
  } finally {
    database.close()
  }
}

/** Every number once; in which order depends on who wrote when. */
export function expectNumbers(folder: string, name: string, numbers: readonly number[]): void {
  expect(numbersIn(folder, name).toSorted((one, other) => one - other)).toEqual(numbers)
}

export function upTo(last: number): number[] {
  return Array.from({ length: last }, (_, index) => index + 1)
}

/** What could not be read, as it stands in the dead letters. */
export function deadLetters(folder: string): string[] {
  return look<{ message: string }>(
    path.join(folder, 'app.db'),
    'SELECT message FROM tidemark_dead_letters ORDER BY id',
  ).map(({ message }) => message)
}
