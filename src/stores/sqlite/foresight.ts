/**
 * What can be told of a write before it is committed, read from the tables' declarations. Whatever is not plainly
 * harmless counts as harmful: the price is a read that waits for a commit.
 */
import type { DatabaseSync } from 'node:sqlite'
import type { ColumnStorage } from '../../contracts/schema.ts'

/** A column of the index behind a primary key, and how that compares texts. */
export interface KeyCollation {
  readonly name: string
  readonly collation: string
}

export class Foresight {
  /** Others were not tried. */
  readonly isUtf8: boolean
  readonly #triggers: readonly string[]
  readonly #cascaded: ReadonlySet<string>
  readonly #strict = new Set<string>()
  readonly #ordinary = new Set<string>()

  /** @param cascaded tables whose rows a foreign key may change, in lower case */
  constructor(database: DatabaseSync, triggers: readonly string[], cascaded: ReadonlySet<string>) {
    this.isUtf8 = database.prepare('PRAGMA encoding').get()?.['encoding'] === 'UTF-8'
    this.#triggers = triggers
    this.#cascaded = cascaded
    for (const { name, type, strict } of database
      .prepare("SELECT name, type, strict FROM pragma_table_list WHERE schema = 'main'")
      .all()) {
      // Not virtual tables, and not those that they keep their own rows in.
      if (type === 'table') this.#ordinary.add(String(name))
      if (strict === 1) this.#strict.add(String(name))
    }
  }

  isStrict(table: string): boolean {
    return this.#strict.has(table)
  }

  standsAlone(table: string, sql: string): boolean {
    return (
      this.#ordinary.has(table) &&
      !this.#cascaded.has(table.toLowerCase()) &&
      // REPLACE deletes rows of other keys, IGNORE drops a write without a word.
      !/\bON\s+CONFLICT\b/i.test(sql) &&
      !this.#triggers.some((trigger) => names(trigger, table))
    )
  }
}

/** Whether the word occurs, in whatever case and meaning; a name that is no plain word could be quoted anyhow. */
function names(trigger: string, table: string): boolean {
  return !/^\w+$/.test(table) || new RegExp(`(?<!\\w)${table}(?!\\w)`, 'i').test(trigger)
}

export function storageOf(
  column: { readonly name: string; readonly type: string; readonly default: unknown },
  table: { readonly isStrict: boolean; readonly sql: string; readonly keyIndex: readonly KeyCollation[] },
): ColumnStorage {
  const { default: given } = column
  return {
    affinity: affinityOf(column.type, table.isStrict),
    comparesExactly: comparesExactly(column.name, table.sql, table.keyIndex),
    hasDefault: typeof given === 'string' && given.toUpperCase() !== 'NULL',
  }
}

/** https://www.sqlite.org/datatype3.html section 3.1; for `ANY` https://www.sqlite.org/stricttables.html */
function affinityOf(type: string, isStrict: boolean): ColumnStorage['affinity'] {
  const upper = type.toUpperCase()
  if (upper.includes('INT')) return 'numeric'
  if (/CHAR|CLOB|TEXT/.test(upper)) return 'text'
  if (upper.includes('BLOB') || upper === '' || (isStrict && upper === 'ANY')) return 'none'
  return /REAL|FLOA|DOUB/.test(upper) ? 'real' : 'numeric'
}

/**
 * SQLite tells an index's collations, not a column's. They differ only where the key's own declaration names one, so
 * a declaration that names BINARY, which nobody needs to, is not believed.
 */
function comparesExactly(name: string, sql: string, keyIndex: readonly KeyCollation[]): boolean {
  if (!/\bCOLLATE\b/i.test(sql)) return true
  const collation = keyIndex.find((column) => column.name === name)?.collation
  return collation === 'BINARY' && !/\bBINARY\b/i.test(sql)
}
