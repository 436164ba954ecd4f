/** A file of its own beside the database, on the same disk: the database itself is left alone. */
import { randomBytes } from 'node:crypto'
import { rmSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { sqlite } from '../../stores/sqlite/index.ts'
import { databaseError } from '../database-error.ts'
import type { DatabaseFile } from '../database.ts'
import type { Bare, Place } from './place.ts'

const pragmas = 'PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL'

/** @throws CommandError when it cannot be made */
export function sqlitePlace(database: DatabaseFile): Place {
  const path = `${database.path}-tidemark_bench_${randomBytes(4).toString('hex')}`
  const remove = (): void => {
    for (const ending of ['', '-wal', '-shm']) rmSync(path + ending, { force: true })
  }
  try {
    const made = new DatabaseSync(path)
    made.exec(`${pragmas}; CREATE TABLE rows (id INTEGER PRIMARY KEY, text TEXT NOT NULL)`)
    made.close()
  } catch (error) {
    remove()
    throw databaseError(database, error)
  }
  return {
    kind: 'sqlite',
    store: (readers) => sqlite(path, readers === undefined ? {} : { readers }),
    bare: async (isAsynchronous = false) => (isAsynchronous ? undefined : bareOn(path)),
    [Symbol.asyncDispose]: async () => remove(),
  }
}

function bareOn(path: string): Bare {
  const opened = new DatabaseSync(path, { timeout: 5_000 })
  opened.exec(pragmas)
  const [ask, insert] = [opened.prepare('SELECT 1'), opened.prepare('INSERT INTO rows (text) VALUES (?)')]
  return {
    ask: async () => void ask.get(),
    insert: async (text) => void insert.run(text),
    [Symbol.asyncDispose]: async () => opened.close(),
  }
}
