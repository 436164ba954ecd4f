/** The SQLite store as the engine sees it: everything that touches the file runs on threads of its own. */
import { statSync } from 'node:fs'
import type { Seq, WriterName } from '../../contracts/position.ts'
import type { Schema } from '../../contracts/schema.ts'
import type {
  Batch,
  BatchOutcome,
  OpenedStore,
  QueryResult,
  SqlQuery,
  Store,
  StoreContext,
  StoreStats,
  StoreTransaction,
  Tidemark,
} from '../../contracts/store.ts'
import { StoreError } from '../../errors.ts'
import { Checkpoints } from './checkpoints.ts'
import type { ThreadSettings } from './messages.ts'
import type { SqliteSettings } from './options.ts'
import { Outbox } from './outbox.ts'
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
      epoch: undefined,
    }
    const thread = new Thread(settings, context.onSchemaChange)
    try {
      const { epoch, schema } = await thread.call('open', {})
      return new OpenedSqlite({ ...settings, epoch }, schema as Schema, thread, context)
    } catch (error) {
      await thread.terminate()
      throw error
    }
  }
}

class OpenedSqlite implements OpenedStore {
  readonly dialect = 'sqlite'
  readonly maxInFlight = 3
  readonly isSynchronous = false
  readonly epoch: OpenedStore['epoch']
  readonly schema: Schema
  readonly #settings: ThreadSettings
  readonly #context: StoreContext
  readonly #outbox: Outbox
  readonly #readers: Readers
  readonly #checkpoints: Checkpoints
  #writer: Thread
  #reconnects = 0
  #closing: Promise<void> | undefined

  constructor(
    settings: ThreadSettings & { epoch: OpenedStore['epoch'] },
    schema: Schema,
    writer: Thread,
    context: StoreContext,
  ) {
    this.epoch = settings.epoch
    this.schema = schema
    this.#settings = settings
    this.#writer = writer
    this.#context = context
    this.#outbox = new Outbox(context.runtime)
    this.#readers = new Readers({ ...settings, role: 'reader' }, settings.settings.readers)
    this.#checkpoints = new Checkpoints(settings)
  }

  async commit(batch: Batch): Promise<BatchOutcome> {
    const { log, ...outcome } = await this.#outbox.commit(this.#writer, batch)
    this.#checkpoints.observe(log)
    return outcome
  }

  async begin(prev: Seq): Promise<StoreTransaction> {
    const thread = this.#writer
    await thread.call('begin', { prev })
    let hasEnded = false
    const call = <T>(run: () => Promise<T>): Promise<T> =>
      hasEnded
        ? Promise.reject(new StoreError('rejected', 'the transaction has ended; nothing more can run in it'))
        : run()
    const end = (how: 'commit' | 'rollback') =>
      call(async () => {
        await thread.call('end', { how })
        hasEnded = true
      })
    return {
      query: (query) => call(() => thread.call('query', query)),
      commit: () => end('commit'),
      rollback: () => end('rollback'),
    }
  }

  async recover(since: Seq): Promise<Tidemark> {
    if (this.#writer.isDead) {
      // The dead thread's connection is closed and its transaction rolled back: nothing of it goes on.
      const thread = new Thread(this.#settings, this.#context.onSchemaChange)
      try {
        await thread.call('open', {})
      } catch (error) {
        await thread.terminate()
        throw error
      }
      this.#writer = thread
      this.#reconnects++
    }
    return this.#writer.call('recover', { since })
  }

  query(query: SqlQuery): Promise<QueryResult> {
    return this.#readers.query(query)
  }

  sync(): Promise<void> {
    return this.#writer.call('sync', {})
  }

  async reloadSchema(): Promise<Schema> {
    return this.#writer.call('reload', {})
  }

  stats(): StoreStats {
    const { pages, count } = this.#checkpoints
    return {
      walBytes: sizeOf(`${this.#settings.path}-wal`),
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
    const ended = this.#end()
    await Promise.race([ended, expired.promise])
    timer.cancel()
  }

  /** The others first: the last connection to close is the one that may write the log back. */
  async #end(): Promise<void> {
    await Promise.all([this.#readers.close(), this.#checkpoints.close()])
    await this.#writer.call('close', {}).catch(() => undefined)
    await this.#writer.terminate()
  }
}

/** Only ever of the log: opening and closing the database itself would drop the locks this process holds on it. */
function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0
}
