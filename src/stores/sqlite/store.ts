/** The SQLite store as the engine sees it: everything that touches the file runs on threads of its own. */
import { statSync } from 'node:fs'
import type { Segment } from '../../contracts/effect.ts'
import type { Mark, Seq, WriterName } from '../../contracts/position.ts'
import type { Schema } from '../../contracts/schema.ts'
import type {
  Batch,
  BatchOutcome,
  DatabaseIdentity,
  IdRange,
  OpenedStore,
  QueryResult,
  Snapshot,
  SqlQuery,
  Store,
  StoreContext,
  StoreStats,
  StoreTransaction,
  Tidemark,
  WriterTidemark,
} from '../../contracts/store.ts'
import type { Patience } from '../../contracts/wait.ts'
import { StoreError, unprefixed } from '../../errors.ts'
import { Checkpoints } from './checkpoints.ts'
import type { ThreadSettings } from './messages.ts'
import type { SqliteSettings } from './options.ts'
import { LogWatch } from './log-watch.ts'
import { Outbox } from './outbox.ts'
import { PointReader } from './point-reader.ts'
import { unpack } from './queries.ts'
import { Readers } from './readers.ts'
import { Thread } from './thread.ts'

export class SqliteStore implements Store {
  readonly name: string
  readonly #path: string
  readonly #settings: SqliteSettings

  constructor(path: string, settings: SqliteSettings) {
    this.name = `sqlite ${path}`
    this.#path = path
    this.#settings = settings
  }

  async open(writer: WriterName, context: StoreContext): Promise<OpenedStore> {
    const settings: ThreadSettings = {
      role: 'writer',
      path: this.#path,
      settings: this.#settings,
      writer,
      leaseMs: context.leaseMs,
      newIdentity: context.newIdentity,
      epochStep: context.epochStep,
      derivations: context.derivations,
      epoch: undefined,
    }
    const thread = new Thread(settings, context.onSchemaChange)
    try {
      const { epoch, identity, schema } = await thread.call('open', {})
      // A writer's thread answers with both.
      const found = { database: identity as DatabaseIdentity, schema: schema as Schema }
      return new OpenedSqlite({ ...settings, epoch }, found, thread, context)
    } catch (error) {
      await thread.terminate()
      throw cannotOpen(this.#path, error)
    }
  }
}

/** Says which file it is about; and what is tried again once it is open is not tried again here. */
function cannotOpen(path: string, error: unknown): unknown {
  if (!(error instanceof StoreError)) return error
  const { failure, storeCode, outcome } = error
  const hint = openHints[storeCode ?? ''] ?? error.hint
  const message = `cannot open "${path}": ${unprefixed(error.message)}`
  return new StoreError(failure, message, {
    cause: error,
    storeCode,
    outcome,
    ...(hint === undefined ? {} : { hint }),
  })
}

/** Where what to do is something else than while the engine runs. */
const openHints: Readonly<Record<string, string>> = {
  SQLITE_BUSY:
    'Another process holds the database lock. Open it again when that is done, or raise `busyTimeoutMs`.',
  SQLITE_IOERR: 'The file system could not read or write the file: look at the disk, then open it again.',
  SQLITE_READONLY:
    'Give this process write permission on the file and on its folder. If it has it, the header of the file is damaged, or of a newer SQLite: restore a backup.',
  SQLITE_ERROR:
    'The file is damaged or made by a newer SQLite: restore a backup, or rescue it with the `.recover` command of the sqlite3 shell.',
}

class OpenedSqlite implements OpenedStore {
  readonly dialect = 'sqlite'
  /** A full batch takes under a millisecond. While the event loop is held up for several, the thread has still work. */
  readonly maxInFlight = 6
  readonly isSynchronous = false
  readonly keepsEffects = true
  readonly epoch: OpenedStore['epoch']
  readonly database: DatabaseIdentity
  readonly schema: Schema
  readonly #settings: ThreadSettings
  readonly #context: StoreContext
  readonly #outbox: Outbox
  readonly #readers: Readers
  readonly #pointReader: PointReader
  readonly #checkpoints: Checkpoints
  /** Undefined: there is no log. */
  readonly #logWatch: LogWatch | undefined
  #writer: Thread
  #replacement: Promise<void> | undefined
  #reconnects = 0
  /** Resolves when the interactive transaction that is open, if there is one, is over. */
  #transactionOver: Promise<void> | undefined
  #closing: Promise<void> | undefined

  constructor(
    settings: ThreadSettings & { epoch: OpenedStore['epoch'] },
    { database, schema }: { database: DatabaseIdentity; schema: Schema },
    writer: Thread,
    context: StoreContext,
  ) {
    this.epoch = settings.epoch
    this.database = database
    this.schema = schema
    this.#settings = settings
    this.#writer = writer
    this.#context = context
    this.#outbox = new Outbox(context.runtime)
    this.#readers = new Readers({ ...settings, role: 'reader' }, settings.settings.readers)
    this.#pointReader = new PointReader(settings.path, settings.settings)
    this.#checkpoints = new Checkpoints(settings)
    if (settings.settings.journalMode === 'wal')
      this.#logWatch = new LogWatch(logOf(settings.path), context.runtime, context.onEffects)
  }

  async commit(batch: Batch): Promise<BatchOutcome> {
    const { log, ...outcome } = await this.#outbox.commit(this.#writer, batch)
    this.#checkpoints.observe(log)
    return outcome
  }

  async begin(prev: Seq): Promise<StoreTransaction> {
    const thread = this.#writer
    await thread.call('begin', { prev })
    const over = Promise.withResolvers<void>()
    this.#transactionOver = over.promise
    let hasEnded = false
    const call = <T>(run: () => Promise<T>): Promise<T> =>
      hasEnded
        ? Promise.reject(new StoreError('rejected', 'the transaction has ended; nothing more can run in it'))
        : run()
    const end = async (how: 'commit' | 'rollback', segments: readonly Segment[] = []) => {
      // From here on, not from the answer: a statement sent in between would run outside of the transaction.
      hasEnded = true
      await thread.call('end', { how, segments }).finally(over.resolve)
    }
    return {
      query: async (query) => unpack(await call(() => thread.call('query', query))),
      commit: (segments) => call(() => end('commit', segments)),
      rollback: () => end('rollback'),
    }
  }

  async reserveIds(table: string, count: number): Promise<readonly IdRange[]> {
    await this.#transactionOver
    return (await this.#livingWriter()).call('reserve', { table, count })
  }

  async recover(since: Seq): Promise<Tidemark> {
    return (await this.#livingWriter()).call('recover', { since })
  }

  async #livingWriter(): Promise<Thread> {
    if (this.#writer.isDead) {
      this.#replacement ??= this.#replaceWriter().finally(() => (this.#replacement = undefined))
      await this.#replacement
    }
    return this.#writer
  }

  /** The dead thread's connection is closed and its transaction rolled back: nothing of it goes on. */
  async #replaceWriter(): Promise<void> {
    const thread = new Thread(this.#settings, this.#context.onSchemaChange)
    try {
      const { schema } = await thread.call('open', {})
      if (this.#closing) throw new StoreError('fatal', 'the store was closed')
      // Whatever has changed since the dead thread looked, the new one does not know as a change.
      this.#context.onSchemaChange(schema as Schema)
    } catch (error) {
      await thread.terminate()
      throw error
    }
    this.#writer = thread
    this.#reconnects++
  }

  query(query: SqlQuery, _patience?: Patience, where?: 'here'): QueryResult | Promise<QueryResult> {
    return (where === 'here' ? this.#pointReader.query(query) : undefined) ?? this.#readers.query(query)
  }

  snapshot(query: SqlQuery, required: readonly Mark[]): Promise<Snapshot> {
    return this.#readers.snapshot({ query, required })
  }

  hearEffects(kind: string, forMs: number): void {
    this.#logWatch?.hear(kind, forMs)
  }

  async endEpoch(seen: WriterTidemark): Promise<boolean> {
    return (await this.#livingWriter()).call('endEpoch', { seen })
  }

  async sync(): Promise<void> {
    return (await this.#livingWriter()).call('sync', {})
  }

  async reloadSchema(): Promise<Schema> {
    return (await this.#livingWriter()).call('reload', {})
  }

  stats(): StoreStats {
    const { pages, count } = this.#checkpoints
    return {
      walBytes: sizeOf(logOf(this.#settings.path)),
      walPages: pages,
      checkpoints: count,
      reconnects: this.#reconnects,
    }
  }

  close(timeoutMs: number): Promise<void> {
    return (this.#closing ??= this.#close(timeoutMs))
  }

  async #close(timeoutMs: number): Promise<void> {
    const expired = Promise.withResolvers<void>()
    const timer = this.#context.runtime.after(timeoutMs, expired.resolve)
    await Promise.race([this.#end(), expired.promise])
    timer.cancel()
    // Past the deadline nothing more may run: the statements under way are the last.
    this.#writer.abandon()
    this.#readers.abandon()
    this.#checkpoints.abandon()
    this.#pointReader.close()
  }

  /** The others first: the last connection to close is the one that may write the log back. */
  async #end(): Promise<void> {
    this.#logWatch?.close()
    this.#pointReader.close()
    await Promise.all([this.#readers.close(), this.#checkpoints.close()])
    await this.#writer.call('close', {}).catch(() => undefined)
    await this.#writer.terminate()
  }
}

function logOf(path: string): string {
  return `${path}-wal`
}

/** Only ever of the log: opening and closing the database itself would drop the locks this process holds on it. */
function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0
}
