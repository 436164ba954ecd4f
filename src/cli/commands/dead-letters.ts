/** `tidemark dead-letters`: what could not be written, and another try. */
import { open } from '../../tidemark.ts'
import { listDeadLetters, type DeadLetter, type DeadLetterFilter } from '../../writes/dead-letters.ts'
import { storeOf, type Database } from '../database.ts'
import { EXIT } from '../failure.ts'
import { hasTable, lookInto } from '../look-into.ts'
import { print } from '../terminal/output.ts'
import { textOfRows, type RowFormat } from '../terminal/rows.ts'

const columns = ['id', 'table', 'code', 'message', 'attempts', 'rejectedAt', 'content']

export async function showDeadLetters(
  database: Database,
  filter: DeadLetterFilter,
  format: RowFormat,
): Promise<void> {
  const letters = await lookInto(database, async (source) =>
    (await hasTable(source, 'tidemark_dead_letters')) ? await listDeadLetters(source, filter) : [],
  )
  await print(textOfRows(columns, letters.map(toRow), format, process.stdout.columns))
}

/** @returns the exit code: failed when one of them was refused again */
export async function redriveDeadLetters(database: Database, ids: readonly number[]): Promise<number> {
  await lookInto(database, async () => undefined)
  await using db = await open(await storeOf(database))
  const outcomes = await db.redrive(ids)
  for (const { id, outcome } of outcomes) {
    process.stdout.write(
      `dead letter ${id}: ${outcome.kind === 'committed' ? 'written' : outcome.error.message}\n`,
    )
  }
  return outcomes.every(({ outcome }) => outcome.kind === 'committed') ? EXIT.ok : EXIT.failed
}

function toRow(letter: DeadLetter): unknown[] {
  const { id, table, code, message, attempts, rejectedAt, content } = letter
  const text =
    typeof content === 'string'
      ? content
      : JSON.stringify(content, (_key, value: unknown) =>
          typeof value === 'bigint' ? value.toString() : value,
        )
  return [id, table, code, message, attempts, rejectedAt.toISOString(), text]
}
