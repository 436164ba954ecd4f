/** The rows that carry the laws, in SurrealQL. What they mean is in `src/sql/bookkeeping.ts`, which says it in SQL. */
import type { Epoch, Mark, Seq, WriterName } from '../../contracts/position.ts'
import type { StoreContext, Tidemark, WriterTidemark } from '../../contracts/store.ts'
import { StoreError } from '../../errors.ts'
import {
  bookkeepingFormat,
  keptEpochs,
  otherFormat,
  rejectionOf,
  tidemarkOf,
  unknownTidemark,
  type OpenedEpoch,
  type Owner,
} from '../../sql/bookkeeping.ts'
import { meaningOf } from './classify.ts'
import { Script } from './script.ts'
import type { Session } from './session.ts'
import { makeOwnTables, takeIndexesAway } from './tables.ts'
import { fromDatabase } from './values.ts'

/** Whoever loses a race for the same row tries again: on a server, an owner who commits all the time may win many. */
const attempts = 1_000

/** What a fence that failed throws; see `fence`. */
export const fenceFailed = 'tidemark: fence'

export async function makeTables(session: Session): Promise<void> {
  await retried(() => session.ask(makeOwnTables.join('; ')))
}

/** Closes the writer's earlier epochs and begins a new one. */
export function openEpoch(
  session: Session,
  writer: WriterName,
  { leaseMs, epochStep, newIdentity, runtime }: StoreContext,
): Promise<OpenedEpoch> {
  return retried(async () => {
    const script = new Script()
    const known = 'type::record("tidemark_database", 1)'
    const at = script.value({
      database: newIdentity.id,
      secret: newIdentity.secret,
      format: bookkeepingFormat,
      last_epoch: 0,
      forgotten_epoch: 0,
    })
    script.add(`IF ${known}.secret = NONE { CREATE ${known} CONTENT ${at} RETURN NONE }`)
    script.add(`UPDATE ${known} SET last_epoch += ${script.value(epochStep)} RETURN NONE`)
    const told = script.add(`SELECT * OMIT id FROM ${known}`)
    script.add(`LET $epoch = ${known}.last_epoch`)
    script.add(
      `UPDATE tidemark_writers SET closed = 1 WHERE writer = ${script.value(writer)} AND closed = 0 RETURN NONE`,
    )
    const row = script.value({
      writer,
      watermark: 0,
      closed: 0,
      lease_ms: Math.ceil(leaseMs),
      opened_at: Math.floor(runtime.wallMs()),
    })
    script.add('LET $record = type::record("tidemark_writers", $epoch)')
    script.add(`CREATE $record CONTENT object::extend(${row}, { epoch: $epoch }) RETURN NONE`)
    forgetOldest(script, known)
    const answers = await session.together(script)
    const [database] = answers[told] as readonly Record<string, unknown>[]
    if (database === undefined || Number(database['format']) !== bookkeepingFormat)
      throw otherFormat(`another version (format ${String(database?.['format'])})`)
    return {
      epoch: Number(database['last_epoch']) as Epoch,
      identity: { id: String(database['database']), secret: String(database['secret']) },
    }
  })
}

/** Keeps the newest epochs that have ended. */
function forgetOldest(script: Script, known: string): void {
  script.add(
    `LET $old = (SELECT epoch FROM tidemark_writers WHERE closed = 1 ORDER BY epoch DESC LIMIT 1 START ${keptEpochs})`,
  )
  script.add(`IF array::len($old) > 0 {
    DELETE tidemark_writers WHERE closed = 1 AND epoch <= $old[0].epoch;
    UPDATE ${known} SET forgotten_epoch = $old[0].epoch }`)
}

/** Checks that the tidemark is at `prev` and the epoch not ended, and moves it; or throws, and nothing is changed. */
export function fence(script: Script, { writer, epoch }: Owner, prev: Seq, last: Seq): void {
  const moved = `(UPDATE ${writerRow(script, epoch)} SET watermark = ${script.value(last)}
    WHERE writer = ${script.value(writer)} AND watermark = ${script.value(prev)} AND closed = 0 RETURN VALUE 1)`
  script.add(`IF array::len(${moved}) != 1 { THROW "${fenceFailed}" }`)
}

function writerRow(script: Script, epoch: Epoch): string {
  return `type::record("tidemark_writers", ${script.value(epoch)})`
}

/** Throws, and nothing is changed, unless the epoch is still this owner's. */
export function requireOpen(script: Script, { epoch }: Owner): void {
  script.add(`IF ${writerRow(script, epoch)}.closed != 0 { THROW "${fenceFailed}" }`)
}

export function epochEnded({ writer }: Owner): StoreError {
  return new StoreError('chain', `the epoch of writer "${writer}" has ended; no ids were reserved.`)
}

/** The epoch ends with the tidemark it has. The last that is open takes the indexes away: whoever opens next makes them. */
export async function closeEpoch(session: Session, { writer, epoch }: Owner): Promise<void> {
  const answers = await retried(() => {
    const script = new Script()
    script.add(
      `UPDATE ${writerRow(script, epoch)} SET closed = 1 WHERE writer = ${script.value(writer)} RETURN NONE`,
    )
    script.add('SELECT VALUE epoch FROM tidemark_writers WHERE closed = 0 LIMIT 1')
    return session.together(script)
  })
  const [, open] = answers as readonly (readonly unknown[])[]
  if (open?.length === 0) await session.ask(takeIndexesAway.join('; '))
}

/**
 * Ends the epoch of a writer taken for dead, if it is still as it was seen. A commit of that writer's and this cannot
 * both succeed: they write the same row.
 */
export async function endEpoch(session: Session, { epoch, watermark }: WriterTidemark): Promise<boolean> {
  const script = new Script()
  const row = writerRow(script, epoch)
  script.add(
    `UPDATE ${row} SET closed = 1 WHERE watermark = ${script.value(watermark)} AND closed = 0 RETURN NONE`,
  )
  const told = script.add(`SELECT VALUE closed FROM ${row}`)
  return ((await session.together(script))[told] as readonly unknown[])[0] === 1
}

/** What a snapshot says of writers: those that are open, and those asked for where they are known. */
export function readTidemarks(script: Script, required: readonly Mark[]): number {
  const epochs = script.value(required.map(({ epoch }) => epoch))
  return script.add(`SELECT writer, epoch, watermark, closed, lease_ms FROM tidemark_writers
    WHERE closed = 0 OR epoch IN ${epochs} ORDER BY epoch`)
}

export function tidemarksOf(answer: unknown): WriterTidemark[] {
  return (answer as readonly Record<string, unknown>[]).map(tidemarkOf)
}

export const forgottenUpTo = 'SELECT VALUE forgotten_epoch FROM tidemark_database'

/**
 * The writer's own epoch, for its recovery. It writes the row: a commit that is still under way meets that and is
 * refused, or was there before and is seen.
 */
export async function recoverTidemark(
  session: Session,
  { writer, epoch }: Owner,
  since: Seq,
): Promise<Tidemark> {
  const script = new Script()
  const row = writerRow(script, epoch)
  const found = script.add(
    `UPDATE ${row} SET recovered = (recovered ?? 0) + 1 WHERE writer = ${script.value(writer)} RETURN watermark, closed`,
  )
  const letters = script.add(`SELECT id, seq, table_name, code, message FROM tidemark_dead_letters
    WHERE epoch = ${script.value(epoch)} AND seq > ${script.value(since)} ORDER BY seq`)
  const answers = await retried(() => session.together(script)).catch((error: unknown) => {
    if (meaningOf(error).code === 'TABLE_UNKNOWN') return undefined
    throw error
  })
  if (answers === undefined) return unknownTidemark
  const [known] = answers[found] as readonly Record<string, unknown>[]
  if (known === undefined) return unknownTidemark
  return {
    watermark: Number(known['watermark']) as Seq,
    isClosed: known['closed'] === 1,
    exists: true,
    rejections: (answers[letters] as readonly Record<string, unknown>[]).map(fromDatabase).map(rejectionOf),
  }
}

/** What a conflict refuses is tried again at once: whoever was quicker has finished. */
export async function retried<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work()
    } catch (error) {
      if (meaningOf(error).code !== 'CONFLICT' || attempt === attempts) throw error
    }
  }
}
