/**
 * The threads of the SQLite store: one writer, which owns the only write connection, and the readers. Each
 * opens its connection when it is told to and answers requests in order.
 */
import type { DatabaseSync } from 'node:sqlite'
import { parentPort, workerData } from 'node:worker_threads'
import type { Segment } from '../../contracts/effect.ts'
import type { Seq } from '../../contracts/position.ts'
import { StoreError } from '../../errors.ts'
import { systemRuntime } from '../../runtime/system.ts'
import { closeEpoch, endEpoch, openEpoch, readTidemark } from './bookkeeping.ts'
import { toStoreError } from './classify.ts'
import {
  checkpointsApart,
  guarded,
  openCheckpointer,
  openReader,
  openWriter,
  synchronous,
} from './connection.ts'
import { Executor } from './executor.ts'
import { openChecked } from './file-check.ts'
import {
  joinPieces,
  packFailure,
  type LogState,
  type Message,
  type Piece,
  type Reply,
  type Request,
  type RequestKind,
  type Requests,
  type ThreadSettings,
} from './messages.ts'
import { Queries } from './queries.ts'
import type { DatabaseSchema } from './schema.ts'
import { takeSnapshot } from './snapshot.ts'

const {
  role,
  path,
  settings,
  writer,
  leaseMs,
  newIdentity,
  epochStep,
  derivations,
  epoch: knownEpoch,
} = workerData as ThreadSettings
const port = parentPort
if (!port) throw new Error('worker.ts is started by the SQLite store, not by itself')

interface Connection {
  readonly database: DatabaseSync
  readonly queries: Queries
  /** A writer's only. */
  readonly executor: Executor | undefined
  readonly epoch: NonNullable<ThreadSettings['epoch']>
}

let connection: Connection | undefined
let isClosed = false
let pieces: Piece[] = []
let segments: Segment[] = []

port.on('message', (message: Message) => {
  if (message.kind === 'part') {
    pieces.push(...message.pieces)
    segments.push(...message.segments)
    return
  }
  try {
    send({ kind: 'answer', answer: answer(message) })
  } catch (error) {
    send({ kind: 'failure', failure: packFailure(toStoreError(error)) })
  }
})

function send(reply: Reply): void {
  port?.postMessage(reply)
}

function answer(request: Request): Requests[RequestKind]['answer'] {
  if (request.kind === 'open') return open()
  // A reader that could not open, because the file was locked, tries again with its next query.
  if (!connection && role === 'reader' && !isClosed) open()
  if (isClosed) throw new StoreError('fatal', 'the store was closed')
  if (!connection) throw new StoreError('transient', 'the connection is not open')
  const { database, queries, executor, epoch } = connection
  if (request.kind === 'query') {
    // A statement may have ended the transaction (OR ROLLBACK): what follows must not run outside of it.
    if (executor) requireTransaction(database)
    return queries.pack(request)
  }
  if (request.kind === 'snapshot') return takeSnapshot(database, queries, request)
  if (request.kind === 'checkpoint') return readLog(database, 'PASSIVE')
  if (request.kind === 'close') {
    executor?.rollback()
    if (executor) closeEpoch(database, epoch)
    database.close()
    connection = undefined
    isClosed = true
    return undefined
  }
  if (!executor) throw new StoreError('fatal', `a reader was asked to ${request.kind}`)
  switch (request.kind) {
    case 'commit': {
      const steps = joinPieces([...pieces, ...request.pieces])
      const carried = [...segments, ...request.segments]
      pieces = []
      segments = []
      const outcome = executor.commit({ prev: request.prev, last: request.last, steps, segments: carried })
      return { ...outcome, log: checkpointsApart(settings) ? readLog(database, 'NOOP') : undefined }
    }
    case 'begin':
      executor.begin(request.prev, (request.prev + 1) as Seq)
      return undefined
    case 'end':
      if (request.how === 'commit') {
        executor.keepEffects(request.segments)
        commit(database)
      } else executor.rollback()
      // It may have made tables: they can be written to when its caller hears of the commit.
      executor.reloadSchema()
      return undefined
    case 'reserve':
      return executor.reserveIds(request.table, request.count)
    case 'recover':
      executor.rollback()
      return readTidemark(database, writer, epoch, request.since)
    case 'endEpoch':
      return endEpoch(database, request.seen, settings.busyTimeoutMs)
    case 'sync':
      return sync(database, epoch)
    case 'reload':
      return executor.reloadSchema()
  }
}

function open(): Requests['open']['answer'] {
  if (role !== 'writer') {
    const database = role === 'reader' ? openReader(path, settings) : openCheckpointer(path, settings)
    connection = {
      database,
      // A transaction begun by a read would keep every later read on this connection in its snapshot.
      queries: new Queries((sql) => guarded(database, () => database.prepare(sql)), { onlyReads: true }),
      executor: undefined,
      epoch: knownEpoch as Connection['epoch'],
    }
    return { epoch: connection.epoch, identity: undefined, schema: undefined }
  }
  // A lost thread's log was this engine's own.
  const database =
    knownEpoch === undefined
      ? openChecked(path, settings, () => openWriter(path, settings))
      : openWriter(path, settings)
  try {
    const { epoch, identity } =
      knownEpoch === undefined
        ? openEpoch(database, { writer, leaseMs, newIdentity, epochStep, nowMs: systemRuntime.wallMs() })
        : { epoch: knownEpoch, identity: undefined }
    const tellSchema = (schema: DatabaseSchema): void => send({ kind: 'schema', schema })
    const executor = new Executor(database, writer, epoch, systemRuntime, tellSchema, derivations)
    const queries = new Queries((sql) => guarded(database, () => database.prepare(sql)))
    connection = { database, queries, executor, epoch }
    return { epoch, identity, schema: executor.schema }
  } catch (error) {
    database.close()
    throw error
  }
}

function requireTransaction(database: DatabaseSync): void {
  if (!database.isTransaction)
    throw new StoreError('rejected', 'the transaction has ended; nothing more can run in it')
}

function commit(database: DatabaseSync): void {
  requireTransaction(database)
  database.exec('COMMIT')
}

/** NOOP only looks; PASSIVE copies back what no reader needs: https://www.sqlite.org/pragma.html#pragma_wal_checkpoint */
function readLog(database: DatabaseSync, mode: 'NOOP' | 'PASSIVE'): LogState {
  const row = database.prepare(`PRAGMA wal_checkpoint(${mode})`).get()
  return { pages: Number(row?.['log'] ?? 0), copiedBack: Number(row?.['checkpointed'] ?? 0) }
}

/** A commit that waits for the disk: the log's one sync covers every commit before it. */
function sync(database: DatabaseSync, epoch: Connection['epoch']): undefined {
  database.exec('PRAGMA synchronous = FULL')
  try {
    database.exec('BEGIN IMMEDIATE')
    // A commit that changes no page writes nothing, and what writes nothing is not synced: up, and down again.
    const move = database.prepare('UPDATE tidemark_writers SET watermark = watermark + ? WHERE epoch = ?')
    for (const step of [1, -1]) {
      if (move.run(step, epoch).changes === 0)
        throw new StoreError('chain', `the database does not know writer "${writer}"; nothing was synced.`)
    }
    database.exec('COMMIT')
  } finally {
    if (database.isTransaction) database.exec('ROLLBACK')
    database.exec(`PRAGMA synchronous = ${synchronous(settings)}`)
  }
}
