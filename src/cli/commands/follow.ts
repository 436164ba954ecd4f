/** `tidemark ingest --follow FILE…`: all files at the same time, until it is stopped. */
import { open } from 'node:fs/promises'
import { resolve } from 'node:path'
import { CommandError, EXIT, reportFailure } from '../failure.ts'
import { followPath } from '../ingest/follow/follow-path.ts'
import { statusOf } from '../ingest/follow/status.ts'
import { ingestSource, type IngestReport, type IngestSettings } from '../ingest/ingest-source.ts'
import { openSource } from '../ingest/open-source.ts'
import { isGzip } from '../ingest/probe.ts'
import { FollowProgress } from '../terminal/follow-progress.ts'
import { describeReport } from './ingest-report.ts'
import { isOfOneFile } from './ingest.ts'
import { stopOnSignals, type Stop } from './stop-on-signals.ts'

/**
 * One that cannot be read (further) does not keep the others out.
 *
 * @returns the exit code: that of the stop; without one, that of the first failure
 * @throws CommandError usage, before anything is read
 */
export async function follow(files: readonly string[], settings: IngestSettings): Promise<number> {
  using stop = stopOnSignals()
  const exitCode = await followUntil(stop, files, settings)
  if (stop.signal.aborted && (await Promise.all(files.map(isNamedPipe))).includes(true)) stop.endNow()
  return exitCode
}

/** As `follow`, beside something else that ends with the same signals. */
export async function followUntil(
  stop: Stop,
  files: readonly string[],
  settings: IngestSettings,
): Promise<number> {
  for (const file of files) if (await isPacked(file)) throw packedError(file)
  const name = files.length === 1 ? String(files[0]) : `${files.length} files`
  using progress = new FollowProgress(name, process.stderr)
  // Before the drain: whoever ends the process during it shall find the terminal as it was.
  stop.signal.addEventListener('abort', progress.stop, { once: true })
  const failed = new AbortController()
  const run = { files, settings, stop, progress, signal: AbortSignal.any([stop.signal, failed.signal]) }
  const endings = await Promise.allSettled(
    files.map(async (file) => {
      try {
        return await followFile(file, run)
      } catch (error) {
        // The database itself failed: the others commit what they have read, as far as they still can.
        failed.abort()
        throw error
      }
    }),
  )
  const codes = endings.map((ending) => {
    if (ending.status === 'rejected') throw ending.reason
    return ending.value
  })
  return stop.signal.aborted ? stop.exitCode : (codes.find((code) => code !== EXIT.ok) ?? EXIT.ok)
}

interface Run {
  readonly files: readonly string[]
  readonly settings: IngestSettings
  readonly stop: Stop
  readonly progress: FollowProgress
  readonly signal: AbortSignal
}

async function followFile(name: string, run: Run): Promise<number> {
  const { files, settings, progress, signal } = run
  try {
    if (name === '-' || (await isNamedPipe(name))) return await ingestStream(name, run)
    const others = new Set(files.filter((file) => file !== name).map((file) => resolve(file)))
    await followPath({
      name,
      others,
      settings,
      signal,
      say: (message, hint) => progress.say(`tidemark: ${message}${hint === undefined ? '' : `\n  ${hint}`}`),
      report: (file, report) => print(file, report, run),
      bar: () => progress.share(),
    })
    return EXIT.ok
  } catch (error) {
    if (!isOfOneFile(error)) throw error
    progress.clear()
    return reportFailure(error)
  }
}

/** What comes through a pipe is read until its writer closes it; it has no other end to wait for. */
async function ingestStream(name: string, run: Run): Promise<number> {
  const { settings, progress, signal } = run
  const stopped = new Promise<undefined>((done) => signal.addEventListener('abort', () => done(undefined)))
  const source = await Promise.race([openSource(name, { now: Date.now(), stdin: process.stdin }), stopped])
  if (source === undefined) {
    // Nobody has said anything yet, and it would be waited for.
    if (name === '-') process.stdin.destroy()
    return EXIT.ok
  }
  try {
    const report = await ingestSource(source, settings, signal, { bar: progress.share() })
    print(name, report, run)
    return report.failure === undefined ? EXIT.ok : reportFailure(report.failure)
  } finally {
    await source.close()
  }
}

function print(file: string, report: IngestReport, { progress, settings }: Run): void {
  progress.clear()
  process.stdout.write(describeReport(file, settings.database.name, report))
}

/** By its name, or by what it begins with. What cannot be looked at is reported when it is opened. */
async function isPacked(file: string): Promise<boolean> {
  if (file === '-') return false
  const status = await statusOf(file).catch(() => undefined)
  if (status === undefined) return /\.gz$/i.test(file)
  if (!status.isFile()) return false
  const handle = await open(file, 'r').catch(() => undefined)
  const magic = Buffer.alloc(3)
  await handle?.read(magic, 0, magic.length, 0)
  await handle?.close()
  return isGzip(magic)
}

function packedError(file: string): CommandError {
  return new CommandError(
    EXIT.usage,
    `${file} is packed with gzip and cannot be followed: a packed file does not grow line by line.`,
    'Leave --follow out to ingest it once, and follow the file that is still written to.',
  )
}

async function isNamedPipe(file: string): Promise<boolean> {
  const status = file === '-' ? undefined : await statusOf(file).catch(() => undefined)
  return status !== undefined && !status.isFile() && !status.isDirectory()
}
