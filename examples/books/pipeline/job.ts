/** What a run of the pipeline is given, whichever way it writes. */
import { isFolder, readBook, type Source } from '../library.ts'
import type { StageName } from '../stages/stage.ts'
import type { BookState, DB } from '../tables.ts'
import type { Tidemark } from '../tidemark.ts'
import type { Journal } from './journal.ts'

export interface Job {
  readonly db: Tidemark<DB>
  readonly sources: readonly Source[]
  /** So many books at a time. */
  readonly atOnce: number
  readonly journal: Journal
}

/** Does each book, the next when one is done. */
export async function eachBook(job: Job, work: (source: Source) => Promise<void>): Promise<void> {
  const waiting = job.sources.values()
  const worker = async (): Promise<void> => {
    for (const source of waiting) await work(source)
  }
  await Promise.all(Array.from({ length: job.atOnce }, worker))
}

/** A book that is a folder of pictures has to be read first. */
export function firstStageOf({ file }: Source): StageName {
  return isFolder(file) ? 'ocr' : 'metadata'
}

/** What the stages look at: the file, or what was read from its pages. */
export function textOf(file: string, { pages }: BookState): string {
  return isFolder(file) ? pages.map(({ text }) => text).join('\n') : readBook(file)
}

/** A run goes on with the jobs that one before it had. */
export async function isNewJob({ db }: Job, { id }: Source): Promise<boolean> {
  return (await db.get('jobs', { id })).row === undefined
}
