/** `tidemark dead-letters`: what could not be written, and another try. */
import { sqlite } from '../../stores/sqlite/index.ts'
import { Queries } from '../../stores/sqlite/queries.ts'
import { open } from '../../tidemark.ts'
import { listDeadLetters, type DeadLetter, type DeadLetterFilter } from '../../writes/dead-letters.ts'
import { EXIT } from '../failure.ts'
import { openReadonly } from '../readonly-database.ts'
import { print } from '../terminal/output.ts'
import { textOfRows, type RowFormat } from '../terminal/rows.ts'

const columns = ['id', 'table', 'code', 'message', 'attempts', 'rejectedAt', 'content']

export async function showDeadLetters(
  database: string,
  filter: DeadLetterFilter,
  format: RowFormat,
): Promise<void> {
  const opened = openReadonly(database)
  try {
    const hasAny =
      opened.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'tidemark_dead_letters'").get() !== undefined
    const queries = new Queries((sql) => opened.prepare(sql))
    const letters = hasAny
      ? await listDeadLetters({ dialect: 'sqlite', query: (query) => queries.run(query) }, filter)
      : []
    await print(textOfRows(columns, letters.map(toRow), format, process.stdout.columns))
  } finally {
    opened.close()
  }
}

/** @returns the exit code: failed when one of them was refused again */
export async function redriveDeadLetters(database: string, ids: readonly number[]): Promise<number> {
  openReadonly(database).close()
  await using db = await open(sqlite(database))
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
