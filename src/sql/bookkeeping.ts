/**
 * The tables that carry the laws: who this database is, one row for each epoch with its tidemark, the dead
 * letters, and the checkpoints of loads. They live in the user's database, so a backup of it is a backup of them,
 * and they are the same in every store.
 */
import type { DeadLetterId, Rejection } from '../contracts/operation.ts'
import type { Epoch, Mark, Seq, WriterName } from '../contracts/position.ts'
import type { DatabaseIdentity, Tidemark, WriterTidemark } from '../contracts/store.ts'
import { StoreError } from '../errors.ts'
import type { SqlSession } from './dialect.ts'

/** How these tables are laid out. One that cannot be read is refused, never guessed at. */
export const bookkeepingFormat = 4

/** So many ended epochs are kept, the newest: bookmarks to older ones have expired. */
export const keptEpochs = 10_000

export interface EpochRequest {
  readonly writer: WriterName
  readonly leaseMs: number
  readonly nowMs: number
  readonly epochStep: number
}

export interface OpenedEpoch {
  readonly epoch: Epoch
  readonly identity: DatabaseIdentity
}

export function isInternalTable(name: string): boolean {
  return /^(tidemark|sqlite)_/i.test(name)
}

/**
 * Makes the tables where they are missing, apart from the epoch: some databases commit at each CREATE. Made only
 * in part they are completed by the next open.
 */
export async function makeTables(session: SqlSession, { id, secret }: DatabaseIdentity): Promise<void> {
  const { dialect } = session
  const missing: string[] = []
  // The first is looked for last: another process may be making them, in their order.
  for (const name of madeBy(dialect.tables).toReversed())
    if (!(await dialect.hasTable(session, name))) missing.push(name)
  if (missing.includes('tidemark_database') && !missing.includes('tidemark_writers'))
    throw otherFormat('an earlier, unreleased version')
  const isWhole =
    missing.length === 0 && (await session.own('SELECT 1 FROM tidemark_database')).rows.length > 0
  if (isWhole) return
  await session.pinned((pinned) =>
    dialect.whileMakingTables(pinned, async (making) => {
      for (const sql of dialect.tables) await making.run(sql)
      const { rows } = await making.own('SELECT 1 FROM tidemark_database')
      if (rows.length > 0) return
      await making.own(
        'INSERT INTO tidemark_database (id, secret, format, last_epoch, forgotten_epoch) VALUES (?, ?, ?, 0, 0)',
        [id, secret, bookkeepingFormat],
      )
    }),
  )
}

/** The tables that these statements make, in their order. */
function madeBy(statements: readonly string[]): string[] {
  return statements.flatMap((sql) => /^\s*CREATE TABLE IF NOT EXISTS (\w+)/.exec(sql)?.[1] ?? [])
}

/** Whose row it is. The name too: in a database that was put back, the epoch may be another writer's. */
export interface Owner {
  readonly writer: WriterName
  readonly epoch: Epoch
}

/** Closes the writer's earlier epochs and begins a new one. It waits for a commit in flight: that holds its row. */
export function openEpoch(
  session: SqlSession,
  { writer, leaseMs, nowMs, epochStep }: EpochRequest,
): Promise<OpenedEpoch> {
  return session.transact(async (opening) => {
    // A write comes first: it takes the lock under which the rest is read.
    await opening.own('UPDATE tidemark_database SET last_epoch = last_epoch + ?', [epochStep])
    const [row] = (await opening.own('SELECT id, secret, format, last_epoch FROM tidemark_database')).rows
    if (row === undefined || Number(row['format']) !== bookkeepingFormat)
      throw otherFormat(`another version (format ${String(row?.['format'])})`)
    const epoch = Number(row['last_epoch']) as Epoch
    await opening.own('UPDATE tidemark_writers SET closed = 1 WHERE writer = ? AND closed = 0', [writer])
    await forgetOldest(opening)
    await opening.own(
      'INSERT INTO tidemark_writers (epoch, writer, watermark, closed, lease_ms, opened_at) VALUES (?, ?, 0, 0, ?, ?)',
      [epoch, writer, Math.ceil(leaseMs), Math.floor(nowMs)],
    )
    return { epoch, identity: { id: String(row['id']), secret: String(row['secret']) } }
  })
}

export function otherFormat(made: string): StoreError {
  return new StoreError('fatal', `the tidemark_ tables of this database were made by ${made} of Tidemark`, {
    hint: 'Open it with that version, or move its rows to a new database.',
  })
}

/** The fence. @returns whether the tidemark was at `prev` and the epoch is not ended */
export async function moveTidemark(
  session: SqlSession,
  { writer, epoch }: Owner,
  prev: Seq,
  last: Seq,
): Promise<boolean> {
  const { changes } = await session.own(
    'UPDATE tidemark_writers SET watermark = ? WHERE epoch = ? AND writer = ? AND watermark = ? AND closed = 0',
    [last, epoch, writer, prev],
  )
  return changes === 1
}

/** The epoch ends with the tidemark it has: bookmarks beyond it can be told lost. */
export async function closeEpoch(session: SqlSession, { writer, epoch }: Owner): Promise<void> {
  await session.own('UPDATE tidemark_writers SET closed = 1 WHERE epoch = ? AND writer = ? AND closed = 0', [
    epoch,
    writer,
  ])
}

/** Ends the epoch of a writer taken for dead, if it is still as it was seen and nothing holds it. */
export async function endEpoch(session: SqlSession, { epoch, watermark }: WriterTidemark): Promise<boolean> {
  const isFree = await session.pinned((pinned) =>
    session.dialect.lockEpochAtOnce(pinned, epoch, async (locked) => {
      await locked.own(
        'UPDATE tidemark_writers SET closed = 1 WHERE epoch = ? AND watermark = ? AND closed = 0',
        [epoch, watermark],
      )
    }),
  )
  if (!isFree) throw new StoreError('transient', 'somebody holds the lock on the epoch')
  const { rows } = await session.own('SELECT 1 FROM tidemark_writers WHERE epoch = ? AND closed = 1', [epoch])
  return rows.length > 0
}

/** A write that changes nothing: some databases sync only what has written. */
export async function touchEpoch(session: SqlSession, epoch: Epoch): Promise<void> {
  for (const step of [1, -1]) {
    const { changes } = await session.own(
      `UPDATE tidemark_writers SET watermark = watermark + (${step}) WHERE epoch = ?`,
      [epoch],
    )
    if (changes === 0)
      throw new StoreError('chain', `the database does not know epoch ${epoch}; nothing was synced.`)
  }
}

/** Keeps the newest epochs that have ended. */
async function forgetOldest(opening: SqlSession): Promise<void> {
  const { rows } = await opening.own(
    `SELECT epoch FROM tidemark_writers WHERE closed = 1 ORDER BY epoch DESC LIMIT 1 OFFSET ${keptEpochs}`,
  )
  if (rows[0] === undefined) return
  const forgotten = Number(rows[0]['epoch'])
  await opening.own('DELETE FROM tidemark_writers WHERE closed = 1 AND epoch <= ?', [forgotten])
  await opening.own('UPDATE tidemark_database SET forgotten_epoch = ?', [forgotten])
}

/** The newest of the ended epochs that are forgotten. */
export async function forgottenUpTo(session: SqlSession): Promise<Epoch> {
  const { rows } = await session.own('SELECT forgotten_epoch FROM tidemark_database')
  return Number(rows[0]?.['forgotten_epoch'] ?? 0) as Epoch
}

/** Of all epochs that are open, and of those asked for where they are known. */
export async function readTidemarks(
  session: SqlSession,
  required: readonly Mark[],
): Promise<WriterTidemark[]> {
  const epochs = required.map(({ epoch }) => Math.trunc(epoch))
  const { rows } = await session.own(
    `SELECT writer, epoch, watermark, closed, lease_ms FROM tidemark_writers
     WHERE closed = 0${epochs.length === 0 ? '' : ` OR epoch IN (${epochs.join(', ')})`} ORDER BY epoch`,
  )
  return rows.map(tidemarkOf)
}

export function tidemarkOf(row: Record<string, unknown>): WriterTidemark {
  return {
    writer: String(row['writer']) as WriterName,
    epoch: Number(row['epoch']) as Epoch,
    watermark: Number(row['watermark']) as Seq,
    isClosed: Number(row['closed']) === 1,
    leaseMs: Number(row['lease_ms']),
  }
}

/** Whether everything that is required is among what a snapshot holds. */
export function holds(tidemarks: readonly WriterTidemark[], required: readonly Mark[]): boolean {
  return required.every(({ epoch, seq }) =>
    tidemarks.some((tidemark) => tidemark.epoch === epoch && tidemark.watermark >= seq),
  )
}

/** The fence did not move. */
export function chainError({ writer }: Owner, prev: Seq): StoreError {
  return new StoreError(
    'chain',
    `the tidemark of writer "${writer}" is not at ${prev}, or its epoch has ended.`,
  )
}

/** What is known of one writer's own epoch, for its recovery. */
export async function readTidemark(
  session: SqlSession,
  { writer, epoch }: Owner,
  since: Seq,
): Promise<Tidemark> {
  const [row] = (
    await session.own('SELECT watermark, closed FROM tidemark_writers WHERE epoch = ? AND writer = ?', [
      epoch,
      writer,
    ])
  ).rows
  if (row === undefined) return unknownTidemark
  const letters = await session.own(
    'SELECT id, seq, table_name, code, message FROM tidemark_dead_letters WHERE writer = ? AND epoch = ? AND seq > ? ORDER BY seq',
    [writer, epoch, since],
  )
  return {
    watermark: Number(row['watermark']) as Seq,
    isClosed: Number(row['closed']) === 1,
    exists: true,
    rejections: letters.rows.map(rejectionOf),
  }
}

export function rejectionOf(letter: Record<string, unknown>): Rejection {
  return {
    seq: Number(letter['seq']) as Seq,
    table: typeof letter['table_name'] === 'string' ? letter['table_name'] : undefined,
    code: String(letter['code']),
    message: String(letter['message']),
    deadLetter: Number(letter['id']) as DeadLetterId,
  }
}

export const unknownTidemark: Tidemark = {
  watermark: 0 as Seq,
  isClosed: false,
  exists: false,
  rejections: [],
}
