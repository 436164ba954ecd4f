/** The dead letters and the checkpoints, as the batch's transaction writes them. */
import type { Checkpoint, DeadLetterId } from '../contracts/operation.ts'
import type { Epoch, Seq, WriterName } from '../contracts/position.ts'
import type { SqlSession } from './dialect.ts'

export interface Letter {
  readonly writer: WriterName
  readonly epoch: Epoch
  readonly seq: Seq
  readonly table: string | undefined
  readonly code: string
  readonly message: string
  readonly nowMs: number
}

/** Of the values of a letter, in the order of its fields, and its content between the message and the time. */
export const insertLetter = `
  INSERT INTO tidemark_dead_letters (writer, epoch, seq, table_name, code, message, content, attempts, rejected_at)
  VALUES (?, ?, ?, ?, ?, ?, ?, 1, ?)`

export async function keepLetter(
  session: SqlSession,
  letter: Letter,
  content: string,
): Promise<DeadLetterId> {
  const { dialect } = session
  const { writer, epoch, seq, table, code, message, nowMs } = letter
  const answer = await session.own(`${insertLetter}${dialect.returning('id')}`, [
    writer,
    epoch,
    seq,
    table ?? null,
    code,
    message,
    content,
    nowMs,
  ])
  return Number(dialect.idsOf(answer, 'id', 1)[0]) as DeadLetterId
}

export async function returnLetter(session: SqlSession, id: DeadLetterId, letter: Letter): Promise<void> {
  const { writer, epoch, seq, code, message, nowMs } = letter
  await session.own(
    `UPDATE tidemark_dead_letters SET writer = ?, epoch = ?, seq = ?, code = ?, message = ?, rejected_at = ?,
       attempts = attempts + 1 WHERE id = ?`,
    [writer, epoch, seq, code, message, nowMs, id],
  )
}

/** @returns whether it was there */
export async function removeLetter(session: SqlSession, id: DeadLetterId): Promise<boolean> {
  return (await session.own('DELETE FROM tidemark_dead_letters WHERE id = ?', [id])).changes === 1
}

/** In two statements, which every database has. Whoever inserts it between them fails one of the two, which tries again. */
export async function putCheckpoint(
  session: SqlSession,
  { source, value }: Checkpoint,
  nowMs: number,
): Promise<void> {
  const { changes } = await session.own(
    'UPDATE tidemark_checkpoints SET value = ?, updated_at = ? WHERE source = ?',
    [value, nowMs, source],
  )
  if (changes === 0)
    await session.own('INSERT INTO tidemark_checkpoints (source, value, updated_at) VALUES (?, ?, ?)', [
      source,
      value,
      nowMs,
    ])
}
