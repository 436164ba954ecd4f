/** `db.live`: live scopes as their users see them, typed by the tables. */
import type { Selectable, Updateable } from 'kysely'
import type { TableSchema } from '../contracts/schema.ts'
import { TidemarkError } from '../errors.ts'
import type { Row } from '../reads/fold.ts'
import { parseWait, type ReadDefaults, type WaitOptions } from '../reads/read-options.ts'
import type { EffectRequest } from '../writes/effect-input.ts'
import type { Value } from '../contracts/values.ts'
import type { Live, LiveStats } from './live.ts'
import type { ChildColumns } from './plan.ts'
import type { RowSet } from './row-set.ts'
import { otherParent, type Scope } from './scope.ts'

type TableName<DB> = keyof DB & string
type ColumnName<Table> = keyof Table & string
type RowOf<Table> = Readonly<Selectable<Table>>

/** Tables whose rows belong to the scope's row, and the column of each that holds that row's key; several for a key of several. */
export type LiveChildren<DB> = {
  readonly [T in TableName<DB>]?: ColumnName<DB[T]> | readonly ColumnName<DB[T]>[]
}

export interface LiveOptions<C> extends WaitOptions {
  /** Tables whose rows are held too. Default none. */
  readonly children?: C
}

/** A scope's rows as they are now, and where they were found. */
export interface Peek<DB, T extends TableName<DB>, C> {
  /** `memory`: this engine holds the scope, so that they are what its job sees. */
  readonly from: 'memory' | 'database'
  readonly row: RowOf<DB[T]> | undefined
  readonly children: { readonly [K in keyof C & TableName<DB>]: readonly RowOf<DB[K]>[] }
  /** All of it is committed, and nothing that is not: false also while another engine holds the scope. */
  readonly isSaved: boolean
  /**
   * How far they may be behind the memory of another engine that holds the scope: all that it had changed by then is in
   * them, in ms, by the clocks of both. 0 when nobody else holds it.
   */
  readonly lagMs: number
}

export interface LiveCall<DB> {
  /**
   * A row and the rows that belong to it, in memory, where they can be read and changed at once. The database follows:
   * what has changed between two commits becomes one atomic group. Whoever asks this engine for the same row gets the
   * same scope; another engine waits until it is closed here, or this engine's process has died.
   *
   * While it is open, every other write of this engine to these rows by their key is refused with `LIVE_HELD`; what
   * statements, transactions and other programs write is not seen until `reload()`.
   *
   * @param key the whole primary key; the row need not exist
   * @throws TidemarkError `LIVE_HELD` when another engine holds it for longer than `timeoutMs` (default: that of reads);
   *   `LIVE_FULL` when there is no room in memory; `UNKNOWN_TABLE`, `UNKNOWN_COLUMN`, `MISSING_KEY`, `INVALID_CALL`;
   *   NotSupportedError for a table with triggers or cascades
   */
  <T extends TableName<DB>, const C extends LiveChildren<DB> = object>(
    table: T,
    key: Partial<Selectable<DB[T]>>,
    options?: LiveOptions<C>,
  ): Promise<LiveScope<DB, T, C>>

  /**
   * Looks at a scope without opening it: in memory when this engine holds it, else in the database. For whoever reports
   * on a job that may or may not run here.
   *
   * @throws TidemarkError as the call itself, without `LIVE_HELD` and `LIVE_FULL`
   */
  peek<T extends TableName<DB>, const C extends LiveChildren<DB> = object>(
    table: T,
    key: Partial<Selectable<DB[T]>>,
    options?: Pick<LiveOptions<C>, 'children'>,
  ): Promise<Peek<DB, T, C>>

  stats(): LiveStats
}

export function liveCall<DB>(live: Live, defaults: ReadDefaults): LiveCall<DB> {
  const open = async (table: string, key: object, options: LiveOptions<object> = {}): Promise<unknown> => {
    const { children = {}, ...wait } = options
    const scope = await live.open(table, key as Row, children as ChildColumns, parseWait(wait, defaults))
    return new LiveScope(scope)
  }
  const peek = async (table: string, key: object, { children = {} }: LiveOptions<object> = {}) => {
    const peeked = await live.peek(table, key as Row, children as ChildColumns)
    return { ...peeked, children: Object.fromEntries(peeked.children) }
  }
  // What the tables are is the caller's claim, and is checked against the schema.
  return Object.assign(open, { peek, stats: () => live.stats() }) as unknown as LiveCall<DB>
}

/** An open scope. Rows that it gives are frozen: a change makes a new one. */
export class LiveScope<DB, T extends TableName<DB>, C> implements AsyncDisposable {
  readonly #scope: Scope

  /** Use `db.live()`. */
  constructor(scope: Scope) {
    this.#scope = scope
  }

  /** The row as it is now; undefined while there is none. @throws TidemarkError `LIVE_ENDED`, `LIVE_REJECTED` */
  get row(): RowOf<DB[T]> | undefined {
    return this.#scope.row() as RowOf<DB[T]> | undefined
  }

  /**
   * Changes these columns of the row, or makes it.
   *
   * @throws InvalidOperationError as `db.upsert`; TidemarkError `LIVE_FULL`, `LIVE_ENDED`, `LIVE_REJECTED`, `CLOSED`
   */
  set(columns: Updateable<DB[T]>): void {
    this.#scope.set(this.#scope.root, columns)
  }

  /** The rows of a table that belong to it. @throws TidemarkError `INVALID_CALL` when it was opened without this table */
  rows<K extends keyof C & TableName<DB>>(table: K): LiveRows<DB, K> {
    const set = this.#scope.children.get(table)
    if (set !== undefined) return new LiveRows(this.#scope, set)
    throw new TidemarkError(
      'INVALID_CALL',
      `the live scope of ${this.#scope.name} was opened without the rows of "${table}".`,
      { hint: `Name it in \`children\`: { ${table}: 'the column with the key' }.` },
    )
  }

  /**
   * Effects that are committed with what has changed up to now.
   *
   * @throws InvalidOperationError as `db.enqueue`; TidemarkError as `set`
   */
  enqueue(...effects: readonly EffectRequest[]): void {
    this.#scope.enqueue(effects)
  }

  /** All changes are committed. */
  get isSaved(): boolean {
    return this.#scope.isSaved
  }

  /** Why a group of changes was rejected. From then on every call but `reload` and `close` throws. */
  get rejection(): TidemarkError | undefined {
    return this.#scope.rejection
  }

  /**
   * Resolves when all that was changed before the call is committed.
   *
   * @param options `durable: true`: and survives a power loss
   * @throws TidemarkError `LIVE_REJECTED`, `LIVE_ENDED`; EngineStoppedError
   */
  async flush(options: { readonly durable?: boolean } = {}): Promise<void> {
    await this.#scope.flush()
    if (options.durable) await this.#scope.sync()
  }

  /** Drops what is not committed, and reads the rows anew. @throws TidemarkError `LIVE_ENDED` */
  reload(): Promise<void> {
    return this.#scope.reload()
  }

  /** Commits all changes, lets the rows go, and others have the scope. @throws as `flush`; it is let go all the same */
  close(): Promise<void> {
    return this.#scope.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}

/** The rows of one table in a scope. The columns that hold the scope's key need not be given. */
export class LiveRows<DB, K extends TableName<DB>> {
  readonly #scope: Scope
  readonly #set: RowSet

  /** Use `scope.rows()`. */
  constructor(scope: Scope, set: RowSet) {
    this.#scope = scope
    this.#set = set
  }

  get size(): number {
    this.#scope.requireOpen()
    return this.#set.rows.size
  }

  /** All of them: in the order of their key as they were read, then in the order in which they came. */
  all(): RowOf<DB[K]>[] {
    this.#scope.requireOpen()
    return [...this.#set.rows.values()] as RowOf<DB[K]>[]
  }

  /** @throws TidemarkError `MISSING_KEY`; as `scope.row` */
  get(key: Partial<Selectable<DB[K]>>): RowOf<DB[K]> | undefined {
    this.#scope.requireOpen()
    return this.#set.rows.get(this.#set.formOf(this.#keyOf(key))) as RowOf<DB[K]> | undefined
  }

  /** Changes these columns of the row with this key, or makes it. @throws as `scope.set`; `MISSING_KEY` */
  set(row: Updateable<DB[K]>): void {
    this.#scope.set(this.#set, row)
  }

  /** @returns whether there was such a row. @throws as `scope.set`; `MISSING_KEY` */
  delete(key: Partial<Selectable<DB[K]>>): boolean {
    return this.#scope.delete(this.#set, this.#keyOf(key))
  }

  #keyOf(given: Row): Value[] {
    const { table, parentColumns } = this.#set
    const { primaryKey } = table
    const key: Value[] = []
    for (let at = 0; at < primaryKey.length; at++) {
      const name = primaryKey[at] as string
      const parent = this.#scope.key[parentColumns.indexOf(name)]
      const value = given[name] ?? parent
      if (value === undefined) throw missingPart(table, name)
      if (parent !== undefined && value !== parent) throw otherParent(this.#scope.name, table.name, name)
      key.push(value as Value)
    }
    return key
  }
}

function missingPart({ name, primaryKey }: TableSchema, column: string): TidemarkError {
  return new TidemarkError(
    'MISSING_KEY',
    `a row of table "${name}" is found by ${primaryKey.join(', ')}, and "${column}" is missing.`,
  )
}
