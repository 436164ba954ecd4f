/**
 * Steps of a batch as statements: what each operation does to its records, and how its answer tells what it left behind.
 *
 * Keeps: law 4 (an operation that does not do what its caller asked for throws; in one transaction for all, that undoes
 * all of it). A record is named by its id wherever the whole key is known: SurrealDB 3.0 looks through the table for
 * `WHERE id = …`.
 */
import type { Checkpoint, DeadLetterId, Group, Run, Shape, UpsertShape } from '../../contracts/operation.ts'
import type { Segment } from '../../contracts/effect.ts'
import type { Epoch, Seq } from '../../contracts/position.ts'
import type { Value } from '../../contracts/values.ts'
import { StoreError } from '../../errors.ts'
import type { Results } from '../../sql/results.ts'
import { piecesOf } from '../../sql/text.ts'
import type { Letter } from '../../sql/letters.ts'
import { withoutEnd } from './guard.ts'
import type { Tables } from './schema.ts'
import { Script } from './script.ts'
import { name } from './tables.ts'
import { recordId, toDatabase } from './values.ts'

/** Begins the message of an operation that does not do what was asked; what is behind it is our code for that. */
export const refusedBy = 'tidemark: refused '
export const expectationFailed = 'EXPECTATION_FAILED'
export const letterGone = 'LETTER_GONE'

type InsertOrUpsert = Extract<Shape, { kind: 'insert' | 'upsert' }>
type Changing = Extract<Shape, { kind: 'update' | 'delete' }>

export class Composition {
  readonly script: Script = new Script()
  readonly #tables: Tables
  readonly #ids: ReadonlyMap<Run, number>
  readonly #tells: ((answers: readonly unknown[], results: Results) => void)[] = []

  /** @param ids of the rows that come without one: the first of each run */
  constructor(tables: Tables, ids: ReadonlyMap<Run, number>) {
    this.#tables = tables
    this.#ids = ids
  }

  /** Notes what the operations left behind, once they stand. */
  tell(answers: readonly unknown[], results: Results): void {
    for (const tell of this.#tells) tell(answers, results)
  }

  /** @param seq of the first of them; undefined inside of a group, of which nothing is told */
  operations(run: Run, from: number, count: number, seq: Seq | undefined): void {
    const { shape } = run
    switch (shape.kind) {
      case 'insert':
        return this.#insert(shape, run, from, count, seq)
      case 'upsert':
        return this.#upsert(shape, run, from, count)
      default: {
        const wordsOf = this.#wordsOf(shape)
        for (let index = from; index < from + count; index++) {
          this.script.add(`LET $done = (${wordsOf(valuesAt(run, index))})`)
          this.#count(shape.expect, seq === undefined ? undefined : ((seq + index - from) as Seq))
        }
      }
    }
  }

  group({ redrives, runs }: Group): void {
    if (redrives !== undefined) {
      const letter = this.#letter(redrives)
      this.#require(`array::len((DELETE ${letter} RETURN VALUE 1)) = 1`, letterGone)
    }
    for (const run of runs) this.operations(run, 0, run.count, undefined)
  }

  keepLetter(
    id: DeadLetterId,
    { table, nowMs, code, message, writer, epoch, seq }: Letter,
    content: string,
  ): void {
    const row = this.script.value({
      writer,
      epoch,
      seq,
      table_name: table ?? null,
      code,
      message,
      content,
      attempts: 1,
      rejected_at: Math.floor(nowMs),
    })
    this.script.add(`CREATE ${this.#letter(id)} CONTENT ${row} RETURN NONE`)
  }

  returnLetter(id: DeadLetterId, { nowMs, code, message, writer, epoch, seq }: Letter): void {
    const row = this.script.value({ writer, epoch, seq, code, message, rejected_at: Math.floor(nowMs) })
    this.script.add(`UPDATE ${this.#letter(id)} MERGE ${row} RETURN NONE`)
    this.script.add(`UPDATE ${this.#letter(id)} SET attempts += 1 RETURN NONE`)
  }

  checkpoint({ source, value }: Checkpoint, nowMs: number): void {
    const row = this.script.value({ source, value, updated_at: Math.floor(nowMs) })
    const record = `type::record("tidemark_checkpoints", ${this.script.value(source)})`
    this.script.add(`UPSERT ${record} CONTENT ${row} RETURN NONE`)
  }

  /** @param first of the numbers that they get */
  segments(segments: readonly Segment[], epoch: Epoch, first: number, nowMs: number): void {
    if (segments.length === 0) return
    const rows = segments.map(({ kind, first: firstSeq, last, lastN, count, content }, index) => ({
      id: recordId('tidemark_segments', [first + index]),
      kind,
      epoch,
      first_seq: firstSeq,
      last_seq: last,
      last_n: lastN,
      items: count,
      content,
      committed_at: Math.floor(nowMs),
    }))
    this.script.add(`INSERT INTO tidemark_segments ${this.script.value(rows)} RETURN NONE`)
  }

  #letter(id: DeadLetterId): string {
    return `type::record("tidemark_dead_letters", ${this.script.value(id)})`
  }

  #insert(shape: InsertOrUpsert, run: Run, from: number, count: number, seq: Seq | undefined): void {
    const firstId = this.#ids.get(run)
    const key = this.#tables.keyOf(shape.table)
    const rows = rowsOf(from, count).map((index) => {
      const row = this.#row(shape, valuesAt(run, index))
      if (firstId !== undefined) row[key[0] ?? 'id'] = firstId + index
      return this.#withRecord(shape.table, key, row)
    })
    this.script.add(`INSERT INTO ${name(shape.table)} ${this.script.value(rows)} RETURN NONE`)
    if (firstId === undefined || seq === undefined) return
    const ids = rowsOf(from, count).map((index) => firstId + index)
    this.#tells.push((_, results) => results.tellIds(seq, ids))
  }

  /** In order, also where two meet on one record. Only what is named is changed in a record that is there. */
  #upsert(shape: UpsertShape, run: Run, from: number, count: number): void {
    const key = this.#tables.keyOf(shape.table)
    const rows = rowsOf(from, count).map((index) => {
      const { id, ...row } = this.#withRecord(shape.table, key, this.#row(shape, valuesAt(run, index)))
      return [id, row]
    })
    // No UPSERT: it looks at the record as if it were new, and gives fields their defaults again.
    this.script.add(`FOR $row IN ${this.script.value(rows)} {
      IF (UPDATE $row[0] MERGE $row[1] RETURN VALUE 1) = [] { CREATE $row[0] CONTENT $row[1] RETURN NONE } }`)
  }

  /** What makes each operation of a shape, by its values: a statement that answers with one value a changed record. */
  #wordsOf(shape: Exclude<Shape, InsertOrUpsert>): (values: readonly Value[]) => string {
    if (shape.kind !== 'statement') return (values) => `${this.#changing(shape, values)} RETURN VALUE 1`
    const text = withCount(shape.sql)
    return (values) => {
      for (const [index, value] of values.entries())
        this.script.add(`LET $p${index + 1} = ${this.script.value(toDatabase(value))}`)
      return text
    }
  }

  #count(expect: number | undefined, seq: Seq | undefined): void {
    // One that names ONLY a record answers with that, not with a list.
    const changed = 'array::len(array::flatten([$done]))'
    if (expect !== undefined) this.#require(`${changed} = ${expect}`, expectationFailed)
    if (seq === undefined) return
    // No RETURN, which would end the transaction here, and commit it.
    const told = this.script.add(changed)
    this.#tells.push((answers, results) => results.tellChanges(seq, Number(answers[told]), undefined))
  }

  #changing(shape: Changing, values: readonly Value[]): string {
    const { table, where } = shape
    const set = shape.kind === 'update' ? shape.set : []
    const sought = values.slice(set.length)
    const key = this.#tables.keyOf(table)
    const places = key.map((column) => where.indexOf(column))
    const isRecord = places.every((place) => place >= 0 && sought[place] !== null)
    const rest = where.flatMap((column, place) => {
      if (isRecord && places.includes(place)) return []
      const value = sought[place] as Value
      return value === null
        ? `${name(column)} IN [NONE, NULL]`
        : `${name(column)} = ${this.script.value(toDatabase(value))}`
    })
    if (set.some((column) => key.includes(column)))
      throw new StoreError('rejected', 'the key of a record cannot be changed', {
        storeCode: 'KEY_CHANGED',
        hint: 'Delete the row and insert it with the other key, in one `db.atomic()`.',
      })
    const keyed = (): unknown[] => places.map((place) => toDatabase(sought[place] as Value))
    const target = isRecord ? this.script.value(recordId(table, keyed())) : name(table)
    const condition = rest.length === 0 ? '' : ` WHERE ${rest.join(' AND ')}`
    if (shape.kind === 'delete') return `DELETE ${target}${condition}`
    const setting = set.map(
      (column, index) =>
        `${name(column)} = ${this.script.value(this.#held(table, column, values[index] as Value))}`,
    )
    return `UPDATE ${target} SET ${setting.join(', ')}${condition}`
  }

  #require(condition: string, code: string): void {
    this.script.add(`IF !(${condition}) { THROW "${refusedBy}${code}" }`)
  }

  #row({ table, columns }: InsertOrUpsert, values: readonly Value[]): Record<string, unknown> {
    return Object.fromEntries(
      columns.map((column, index) => [column, this.#held(table, column, values[index] as Value)]),
    )
  }

  #held(table: string, column: string, value: Value): unknown {
    return value === null && !this.#tables.takesNull(table, column) ? undefined : toDatabase(value)
  }

  /** With its record's id, where its key is known. */
  #withRecord(table: string, key: readonly string[], row: Record<string, unknown>): Record<string, unknown> {
    if (key.some((column) => row[column] === undefined || row[column] === null)) return row
    return {
      ...row,
      id: recordId(
        table,
        key.map((column) => row[column]),
      ),
    }
  }
}

function rowsOf(from: number, count: number): number[] {
  return Array.from({ length: count }, (_, index) => from + index)
}

function valuesAt({ shape: { width }, values }: Run, index: number): readonly Value[] {
  return values.slice(index * width, (index + 1) * width)
}

/** A statement of the caller's own, so that it answers with one value for each record that it changed. */
function withCount(sql: string): string {
  const text = withoutEnd(sql)
  return [...piecesOf(text, 'surrealql')].some((piece) => piece.toUpperCase() === 'RETURN')
    ? text
    : `${text} RETURN VALUE 1`
}
