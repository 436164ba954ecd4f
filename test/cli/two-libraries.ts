/** A program that does what none may: it opens one file with two SQLite libraries, and keeps it open. It only reads. */
import Database from 'better-sqlite3'
import { DatabaseSync } from 'node:sqlite'

const file = process.argv[2] ?? ''
const sql = 'SELECT count(*) FROM sqlite_schema'
const one = new DatabaseSync(file)
one.prepare(sql).get()
const other = new Database(file)
other.prepare(sql).get()
console.log('open')
// Who is not referred to any more is closed with the next garbage collection.
process.stdin.resume().on('end', () => [one, other].forEach((each) => each.close()))
