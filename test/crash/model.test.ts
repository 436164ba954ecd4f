/** The model that the kills are judged by sees each way in which a file can be wrong. */
import path from 'node:path'
import { expect, test } from 'vitest'
import { Child } from '../support/child.ts'
import { databaseFile, temporaryFolder } from '../support/database-file.ts'
import { change, copyDatabase } from '../support/database.ts'
import { Model, Violation } from './model.ts'
import { lookInto } from './place.ts'
import { schema } from './workload.ts'

const seed = 7

/** Chance decides an epoch, and so which keys its operations have: those are changed that are there. */
const wrongs = [
  { what: 'a row that is missing', sql: 'DELETE FROM rows WHERE id = 100' },
  {
    what: 'a row that is there twice',
    sql: 'INSERT INTO rows (epoch, seq, part, payload) SELECT epoch, seq, part, payload FROM rows WHERE id = 100',
  },
  { what: 'two rows that changed places', sql: 'UPDATE rows SET id = 9999 WHERE id = 100' },
  { what: 'a row with other content', sql: "UPDATE rows SET payload = 'other' WHERE id = 100" },
  {
    what: 'an increment applied twice',
    sql: 'UPDATE counters SET n = n + 1 WHERE key = (SELECT max(key) FROM counters WHERE n > 0)',
  },
  { what: 'an upsert undone', sql: 'DELETE FROM latest WHERE key = (SELECT max(key) FROM latest)' },
  { what: 'a tidemark ahead of the rows', sql: 'UPDATE tidemark_writers SET watermark = watermark + 1' },
  { what: 'a tidemark behind the rows', sql: 'UPDATE tidemark_writers SET watermark = watermark - 1' },
  {
    what: 'a dead letter lost',
    sql: 'DELETE FROM tidemark_dead_letters WHERE id = (SELECT max(id) FROM tidemark_dead_letters)',
  },
  { what: 'a checkpoint of another load', sql: "UPDATE tidemark_checkpoints SET value = '1'" },
  { what: 'an epoch left open by close', sql: 'UPDATE tidemark_writers SET closed = 0' },
]

test('laws 2, 3 · the model of the kills accepts what a writer left, and nothing that differs', async () => {
  const file = databaseFile(schema.sqlite)
  const child = new Child(new URL('child.ts', import.meta.url), [file, seed, 'wal', '{}', 400])
  await child.ended
  const judge = (at: string) => lookInto(at, (looks) => new Model(seed).endEpoch(looks, child.lines))
  expect(await judge(file), child.stderr).toBeGreaterThan(300)

  for (const { what, sql } of wrongs) {
    const copy = path.join(temporaryFolder(), 'copy.db')
    copyDatabase(file, copy)
    change(copy, sql)
    await expect(judge(copy), what).rejects.toThrow(Violation)
  }
})
