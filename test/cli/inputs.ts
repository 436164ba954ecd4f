/** Input files of the tests, and what must have become of them. */
import { appendFileSync, existsSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { gzipSync } from 'node:zlib'
import { DatabaseSync } from 'node:sqlite'
import { expect } from 'vitest'
import { look } from '../support/database-file.ts'

export type Kind = 'ndjson' | 'csv'

/** Lines `from` to `to` of a file of this kind; each says its own number. */
export function linesOf(kind: Kind, from: number, to: number): string {
  let text = ''
  for (let n = from; n <= to; n++) {
    text +=
      kind === 'ndjson'
        ? `{"time":"2026-01-01T00:00:00Z","level":"info","service":"web","msg":"event ${n}","n":${n}}\n`
        : `${n},"event ${n}",${n / 2}\n`
  }
  return text
}

export const csvHeader = 'n,text,half\n'

/** Writes a file of `count` lines; one that ends with .gz is packed, as several members like a rotated log. */
export function writeInput(folder: string, name: string, count: number): string {
  const file = path.join(folder, name)
  const kind = kindOf(name)
  const header = kind === 'csv' ? csvHeader : ''
  const half = Math.floor(count / 2)
  const parts = [header + linesOf(kind, 1, half), linesOf(kind, half + 1, count)]
  writeFileSync(
    file,
    name.endsWith('.gz') ? Buffer.concat(parts.map((part) => gzipSync(part))) : parts.join(''),
  )
  return file
}

/** Lines as a program adds them to its log. */
export function appendLines(file: string, from: number, to: number): void {
  const text = linesOf(kindOf(file), from, to)
  appendFileSync(file, file.endsWith('.gz') ? gzipSync(text) : text)
}

function kindOf(name: string): Kind {
  return /\.csv(\.gz)?$/.test(name) ? 'csv' : 'ndjson'
}

/** The table that a file of `writeInput` goes to, and the SQL for a line's own number. */
export function tableOf(name: string): { table: string; n: string } {
  return kindOf(name) === 'csv'
    ? { table: path.basename(name).split('.')[0] ?? '', n: 'n' }
    : { table: 'logs', n: "json_extract(attributes, '$.n')" }
}

/** The database holds lines 1 to `count`, each once, in the order of the file. */
export function expectLines(folder: string, name: string, count: number): void {
  const { table, n } = tableOf(name)
  const rows = look<{ n: number }>(
    path.join(folder, 'app.db'),
    `SELECT ${n} AS n FROM "${table}" ORDER BY rowid`,
  )
  const wrong = rows.findIndex((row, index) => row.n !== index + 1)
  expect({ rows: rows.length, wrong }, `the line at ${wrong} is ${rows[wrong]?.n}`).toEqual({
    rows: count,
    wrong: -1,
  })
}

/** Looks at a database that others write to, from outside. */
export class Onlooker implements Disposable {
  readonly #file: string
  #database: DatabaseSync | undefined

  constructor(folder: string) {
    this.#file = path.join(folder, 'app.db')
  }

  /** 0 while there is no database or no table yet, or it cannot be read at the moment. */
  count(table: string): number {
    try {
      if (!this.#database && !existsSync(this.#file)) return 0
      this.#database ??= new DatabaseSync(this.#file)
      // The newest row's number: rows are never deleted, and counting them all would take long.
      return Number(this.#database.prepare(`SELECT max(rowid) AS n FROM "${table}"`).get()?.['n'] ?? 0)
    } catch {
      return 0
    }
  }

  [Symbol.dispose](): void {
    this.#database?.close()
  }
}
