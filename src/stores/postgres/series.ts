/**
 * A small transaction in one trip: statements that the server has prepared, and one word behind the last of them, at
 * which it commits. It begins the transaction by itself, answers nothing before that word, and carries out nothing of
 * what stands behind one that fails.
 *
 * Keeps: law 1 (what it says of the statements is said before the commit: the end alone tells of that) and law 3 (what
 * stands half on the wire must never meet that word: it would commit the fence without its rows).
 *
 * `pg` has no such query, and takes those of its own class only. Hot: `npm run bench -- postgres --sections callers`.
 */
import { Query, type Connection as Wire } from 'pg'
import type { WireAnswer, WireStatement } from './connection.ts'
import { typeParsers } from './values.ts'

/** Between two statements no timer of the server's runs. So the system must be able to take them all at once. */
const maxBytes = 24_576
const statementBytes = 64
const parameterBytes = 8
/** Of a character, at the most. */
const utf8Bytes = 3

/** A process that is stopped while it sends them does not hold its writer's row. */
export function fitsOnePacket(statements: readonly WireStatement[]): boolean {
  let bytes = 0
  for (const { parameters = [] } of statements) {
    bytes += statementBytes
    for (const parameter of parameters) bytes += parameterBytes + utf8Bytes * (parameter?.length ?? 0)
    if (bytes > maxBytes) return false
  }
  return true
}

interface Field {
  readonly dataTypeID: number
  readonly format: 'text' | 'binary'
}

/**
 * The columns of what prepared statements answer, by their names on one connection. The server refuses a statement
 * whose columns are others now, so it is asked for them once.
 */
export type KnownFields = Map<string, readonly Field[]>

/** What the server says of one statement, as it says it. */
interface Said {
  readonly fields: readonly Field[]
  readonly rows: readonly (readonly (string | null)[])[]
  readonly tag: string
}

export class Series extends Query {
  readonly #statements: readonly WireStatement[]
  readonly #known: KnownFields
  readonly #onEnd: (error?: Error) => void
  readonly #said: Said[] = []
  #fields: readonly Field[] = []
  #rows: (readonly (string | null)[])[] = []

  /** @param onEnd called when it is committed, or with why it is not, or may not be */
  constructor(statements: readonly WireStatement[], known: KnownFields, onEnd: (error?: Error) => void) {
    super('')
    this.#statements = statements
    this.#known = known
    this.#onEnd = onEnd
  }

  /** Of the statements that were carried out, rows as arrays. All of it is undone if the end is an error. */
  get answers(): WireAnswer[] {
    return this.#said.map(({ fields, rows, tag }) => {
      const parsers = fields.map(({ dataTypeID, format }) => typeParsers.getTypeParser(dataTypeID, format))
      const parsed = rows.map((row) => row.map((text, at) => (text === null ? null : parsers[at]?.(text))))
      const [command = '', ...counts] = tag.split(' ')
      return { rows: parsed as unknown as WireAnswer['rows'], count: Number(counts.at(-1)), command }
    })
  }

  override submit = (wire: Wire): void => {
    try {
      for (const { name = '', parameters = [] } of this.#statements) {
        wire.bind({ statement: name, values: [...parameters] }, true)
        if (!this.#known.has(name)) wire.describe({ type: 'P' }, true)
        wire.execute({}, true)
      }
    } catch (error) {
      wire.stream.destroy(error as Error)
      return
    }
    wire.sync()
  }

  handleRowDescription({ fields }: { readonly fields: readonly Field[] }): void {
    this.#fields = fields
  }

  handleDataRow({ fields }: { readonly fields: readonly (string | null)[] }): void {
    this.#rows.push(fields)
  }

  handleCommandComplete({ text }: { readonly text: string }): void {
    const name = this.#statements[this.#said.length]?.name ?? ''
    const fields = this.#known.get(name) ?? this.#fields
    this.#known.set(name, fields)
    this.#said.push({ fields, rows: this.#rows, tag: text })
    this.#fields = []
    this.#rows = []
  }

  handleError(error: Error): void {
    this.#onEnd(error)
  }

  handleReadyForQuery(): void {
    this.#onEnd()
  }
}
