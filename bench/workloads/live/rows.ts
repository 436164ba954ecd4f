/** What all contenders hold: a job of eight columns and about 100 bytes, and the parts that belong to it. */

export interface JobRow {
  id: string
  stage: string
  progress: number
  title: string
  owner: string
  kind: string
  path: string
  note: string
}

export interface PartRow {
  job: string
  n: number
  state: string
  progress: number
  text: string
}

/** As Tidemark sees them: what the database can leave out, a call may leave out. */
export interface Tables {
  jobs: Pick<JobRow, 'id' | 'stage' | 'progress'> & Partial<JobRow>
  parts: PartRow
}

export const JOB_COLUMNS = ['id', 'stage', 'progress', 'title', 'owner', 'kind', 'path', 'note'] as const
export const PART_COLUMNS = ['job', 'n', 'state', 'progress', 'text'] as const
/** Columns that a change leaves out can be NULL, or SQLite would refuse an upsert without them. */
export const CREATE_TABLES = `
  CREATE TABLE jobs (id TEXT PRIMARY KEY NOT NULL, stage TEXT NOT NULL, progress INTEGER NOT NULL,
    title TEXT, owner TEXT, kind TEXT, path TEXT, note TEXT);
  CREATE TABLE parts (job TEXT NOT NULL, n INTEGER NOT NULL, state TEXT, progress INTEGER, text TEXT,
    PRIMARY KEY (job, n))`

const STATES = ['queued', 'fetched', 'parsed', 'linked', 'checked', 'indexed', 'printed', 'done'] as const

export function stateAt(number: number): string {
  return STATES[number % STATES.length] as string
}

export function jobId(number: number): string {
  return `job-${String(number).padStart(7, '0')}`
}

export function jobAt(number: number): JobRow {
  return {
    id: jobId(number),
    stage: 'queued',
    progress: 0,
    title: `The book of all things, ${number % 1_000}`,
    owner: `reader-${number % 100}`,
    kind: 'book',
    path: `/shelf/${number % 977}/${number}`,
    note: 'keep until read',
  }
}

export function partAt(job: number, n: number): PartRow {
  return { job: jobId(job), n, state: 'queued', progress: 0, text: `chapter ${n} of ${job}, as it was found` }
}
