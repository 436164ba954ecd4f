/** The program of `OtherProcess`: one JSON command a line, one answer a line. */
import { createInterface } from 'node:readline'
import { DatabaseSync, backup } from 'node:sqlite'

interface Command {
  readonly id: number
  readonly sql?: string
  readonly copyTo?: string
}

const database = new DatabaseSync(process.argv[2] ?? '', { timeout: 10_000 })
// Open the file now: a connection that has touched nothing yet is not one that others have to reckon with.
database.prepare('SELECT count(*) FROM sqlite_schema').get()

for await (const line of createInterface({ input: process.stdin })) {
  const { id, sql, copyTo } = JSON.parse(line) as Command
  let trouble = ''
  try {
    if (sql !== undefined) database.exec(sql)
    if (copyTo !== undefined) await backup(database, copyTo)
  } catch (error) {
    trouble = ` ${error instanceof Error ? error.message : String(error)}`
  }
  console.log(`done ${id}${trouble}`)
}
