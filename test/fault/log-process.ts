/**
 * Writes as many rows as it is told in lines, twenty a commit, and leaves all of them in the log.
 *
 *   node log-process.ts FILE OPENING
 */
import { writeSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { open } from '../../src/index.ts'
import { sqlite } from '../../src/stores/sqlite/index.ts'
import { rowOf, type LoggedRow } from '../support/logged-database.ts'

const [, , file = '', opening = ''] = process.argv
const db = await open<{ rows: LoggedRow }>(sqlite(file, { walAutocheckpoint: 0 }), {
  writer: 'logging',
  batch: { maxOperations: 20 },
})
let n = 0
for await (const line of createInterface({ input: process.stdin })) {
  let bookmark = ''
  for (let left = Number(line); left > 0; left--)
    bookmark = db.insert('rows', rowOf(Number(opening), ++n)).bookmark
  await db.flush()
  writeSync(1, `written ${n} ${bookmark}\n`)
}
await db.close()
