/** Follows one path: one file after the other as they come to have its name, each ingested as a plain ingest would. */
import { basename, dirname, join, resolve } from 'node:path'
import { count, type ProgressBar } from '../../terminal/progress.ts'
import type { FormatName } from '../formats/columns.ts'
import { ingestSource, type IngestReport, type IngestSettings } from '../ingest-source.ts'
import type { LastLoad } from '../last-load.ts'
import { openFollowed, type FollowedSource } from './followed-source.ts'
import { knownLoads, type KnownLoad } from './known-loads.ts'
import { rotatedBeside } from './rotations.ts'
import { keyOf, statusOf } from './status.ts'
import { pause } from './watched-file.ts'

export interface FollowedPath {
  /** As the user called it. */
  readonly name: string
  /** Whole paths that are followed for themselves. */
  readonly others: ReadonlySet<string>
  readonly settings: IngestSettings
  /** Stops reading; what was read is committed. */
  readonly signal: AbortSignal
  /** Tells whoever looks on what is going on. */
  readonly say: (message: string, hint?: string) => void
  /** Takes the report of each file that was read to its end, or as far as it was read when it was stopped. */
  readonly report: (file: string, report: IngestReport) => void
  /** For one load. */
  readonly bar: () => ProgressBar
}

interface Next {
  readonly file: string
  readonly key: string
  readonly start: LastLoad | undefined
  /** The last file that was read under this path. */
  readonly before: KnownLoad | undefined
  readonly isLongReplaced: boolean
}

/**
 * Ends when it is stopped, or when a file cannot be read.
 *
 * @throws InputError, CommandError
 */
export async function followPath(followed: FollowedPath): Promise<void> {
  const { signal, say } = followed
  const first = await firstFile(followed)
  for (let next = first; next !== undefined && !signal.aborted; next = await nextFile(followed)) {
    await using source = await openNext(followed, next)
    // It was renamed since it was looked for: what lies where now is found out anew.
    if (source?.key !== next.key) continue
    await source.start()
    if (source.end === undefined) await ingest(followed, source, next)
    if (source.end === 'cut') say(`${next.file} was cut; what it holds now is read from its beginning.`)
  }
}

async function ingest(
  { settings, signal, bar, report }: FollowedPath,
  source: FollowedSource,
  { file, start, before }: Next,
): Promise<void> {
  const ingested = await ingestSource(source, settings, signal, {
    // Once another file has its name, nothing will follow; in all other cases the end is not come to.
    lastLine: 'always',
    start,
    heritage: before && { table: before.table, format: before.checkpoint.format },
    bar: bar(),
  })
  report(file, ingested)
  if (ingested.failure !== undefined) throw ingested.failure
}

async function openNext(
  { name, settings, signal }: FollowedPath,
  { file, before, isLongReplaced }: Next,
): Promise<FollowedSource | undefined> {
  const format = settings.format === 'auto' ? before?.checkpoint.format : settings.format
  const leastLines = isCsv(name, format) ? 2 : 1
  return await openFollowed({ name: file, path: resolve(name), isLongReplaced, leastLines, signal })
}

/** The types of its columns are told by rows: the header alone would make all of them text. */
function isCsv(name: string, format: FormatName | undefined): boolean {
  return format === undefined ? /\.(csv|tsv)$/i.test(name) : format === 'csv'
}

/** As `nextFile`; tells of what was lost sight of while nobody followed it. */
async function firstFile(followed: FollowedPath): Promise<Next | undefined> {
  const { name, others, settings, say } = followed
  const known = await knownLoads(settings)
  const { missing } = await rotatedBeside(resolve(name), others, known)
  if (missing !== undefined) {
    const line = count(missing.checkpoint.line)
    say(
      `the file that was ${name} before is not beside it any more; it was read up to line ${line}.`,
      'What it got behind that is not in. If it was packed or moved away, ingest the rest of it by hand.',
    )
  }
  return await nextFile(followed)
}

/** Waits for one to be there. Undefined when it was stopped before. */
async function nextFile({ name, others, settings, signal, say }: FollowedPath): Promise<Next | undefined> {
  const path = resolve(name)
  for (let hasSaid = false; !signal.aborted; hasSaid = true) {
    const known = await knownLoads(settings)
    const before = known.find(({ checkpoint }) => checkpoint.path === path)
    const [rotated, ...later] = (await rotatedBeside(path, others, known)).unread
    if (rotated !== undefined) {
      const file = join(dirname(name), basename(rotated.file))
      return { file, key: rotated.key, start: rotated.start, before, isLongReplaced: later.length > 0 }
    }
    const status = await statusOf(path)
    if (status !== undefined)
      return { file: name, key: keyOf(status), start: undefined, before, isLongReplaced: false }
    if (!hasSaid) say(`there is no file ${name} yet; waiting for it.`)
    while (!signal.aborted && (await statusOf(path)) === undefined) await pause(signal)
  }
  return undefined
}
