/** One import, from the folder to the last commit, in one of the two ways. */
import { contentOf } from '../content.ts'
import { findAudio } from '../folder.ts'
import { prepareDatabase } from '../schema.ts'
import { baseline } from './baseline.ts'
import type { Done } from './messages.ts'
import { idleShare, type ImportResult, type Mode } from './result.ts'
import { startWorkers } from './workers.ts'
import { withTidemark } from './with-tidemark.ts'

export interface ImportOptions {
  readonly folder: string
  readonly database: string
  readonly mode: Mode
  readonly workers: number
  readonly lingerMs: number
}

export interface Watcher {
  starts(files: number): void
  /** With the number of files that workers are done with, and how many of them are committed or need not be. */
  goesOn(read: number, done: number): void
}

export async function runImport(options: ImportOptions, watcher: Watcher): Promise<ImportResult> {
  const { folder, database, mode, workers: count } = options
  const { audio, others } = findAudio(folder)
  prepareDatabase(database)
  const workers = await startWorkers(count, {
    folder,
    ownConnection: mode === 'baseline' ? database : undefined,
  })

  const files: Record<Done['kind'], number> = {
    imported: 0,
    changed: 0,
    unchanged: 0,
    skipped: 0,
    rejected: 0,
  }
  const faults: { path: string; reason: string }[] = []
  let read = 0
  let doneWith = 0
  watcher.starts(audio.length)
  const startedMs = performance.now()
  const tell = (done: Done): void => {
    files[done.kind]++
    if (done.kind === 'skipped' || done.kind === 'rejected')
      faults.push({ path: done.path, reason: `${done.kind}: ${done.reason}` })
    watcher.goesOn(read, ++doneWith)
  }
  const destination =
    mode === 'baseline' ? baseline(tell) : await withTidemark(database, options.lingerMs, tell)
  const tasks = audio.map((path) => ({ path, knownHash: destination.knownHash(path) }))
  const tallies = await workers.run(tasks, async (answer) => {
    watcher.goesOn(++read, doneWith)
    await destination.take(answer)
  })
  const locks = await destination.finish(tallies)
  const seconds = (performance.now() - startedMs) / 1_000

  const { rows, hash } = contentOf(database)
  faults.sort((a, b) => (a.path < b.path ? -1 : 1))
  return {
    mode,
    database,
    workers: count,
    seconds,
    files,
    others,
    faults,
    ...locks,
    idle: idleShare(tallies),
    rows,
    content: hash,
  }
}
