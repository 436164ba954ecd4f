/** The benchmark's own look at a contender's file: made before it starts, compared when its process is gone. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { DatabaseSync } from 'node:sqlite'
import { CREATE_TABLES, jobAt, partAt, type JobRow, type PartRow } from '../../workloads/live/rows.ts'

export interface Rows {
  readonly jobs: readonly JobRow[]
  readonly parts: readonly PartRow[]
}

export function createJobs(file: string, { jobs, parts }: Rows): void {
  const db = new DatabaseSync(file)
  db.exec(`PRAGMA journal_mode = WAL; ${CREATE_TABLES}; BEGIN`)
  const insertJob = db.prepare('INSERT INTO jobs VALUES (?, ?, ?, ?, ?, ?, ?, ?)')
  for (const { id, stage, progress, title, owner, kind, path, note } of jobs)
    insertJob.run(id, stage, progress, title, owner, kind, path, note)
  const insertPart = db.prepare('INSERT INTO parts VALUES (?, ?, ?, ?, ?)')
  for (const { job, n, state, progress, text } of parts) insertPart.run(job, n, state, progress, text)
  db.exec('COMMIT')
  db.close()
}

/** So many jobs as they are at first, each with so many parts, in the order of their keys. */
export function rowsAtFirst(jobs: number, partsOfEach: number): Rows {
  const numbers = Array.from({ length: jobs }, (_, number) => number)
  return {
    jobs: numbers.map(jobAt),
    parts: numbers.flatMap((job) => Array.from({ length: partsOfEach }, (_, n) => partAt(job, n))),
  }
}

/** Throws unless the file holds exactly these rows, and nobody holds one of them. @returns their hash */
export function verifyRows(file: string, expected: Rows): string {
  const db = new DatabaseSync(file, { readOnly: true })
  const found = {
    jobs: db.prepare('SELECT * FROM jobs ORDER BY id').all(),
    parts: db.prepare('SELECT * FROM parts ORDER BY job, n').all(),
  }
  const hasScopes = db.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'tidemark_scopes'").get()
  const held = hasScopes ? db.prepare('SELECT count(*) AS held FROM tidemark_scopes').get()?.['held'] : 0
  db.close()
  assert.equal(held, 0, 'scopes that were let go')
  const [hash, wanted] = [hashOf(found), hashOf(expected)]
  // What differs is told only when something does: comparing them one by one takes longer than hashing them.
  if (hash !== wanted) {
    assert.deepEqual(found.jobs.map(plain), expected.jobs)
    assert.deepEqual(found.parts.map(plain), expected.parts)
  }
  assert.equal(hash, wanted)
  return hash
}

export function hashOf(rows: {
  readonly jobs: readonly object[]
  readonly parts: readonly object[]
}): string {
  const hash = createHash('sha256')
  for (const row of [...rows.jobs, ...rows.parts]) hash.update(`${JSON.stringify(row)}\n`)
  return hash.digest('hex')
}

function plain(row: object): object {
  return { ...row }
}
