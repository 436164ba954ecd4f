/** `tidemark ingest FILE…|-` */
import { CommandError, EXIT, reportFailure } from '../failure.ts'
import { ingestSource, type IngestSettings } from '../ingest/ingest-source.ts'
import { InputError } from '../ingest/input-error.ts'
import { openSource } from '../ingest/open-source.ts'
import type { Source } from '../ingest/source.ts'
import { describeReport } from './ingest-report.ts'
import { stopOnSignals, type Stop } from './stop-on-signals.ts'

/**
 * One file after the other; one that cannot be read does not keep the others out.
 *
 * @returns the exit code: that of the first failure
 */
export async function ingest(files: readonly string[], settings: IngestSettings): Promise<number> {
  using stop = stopOnSignals()
  let exitCode: number = EXIT.ok
  for (const file of files) {
    const code = await ingestFile(file, settings, stop)
    if (stop.signal.aborted) return stop.exitCode
    if (exitCode === EXIT.ok) exitCode = code
  }
  return exitCode
}

async function ingestFile(file: string, settings: IngestSettings, stop: Stop): Promise<number> {
  try {
    await using source = disposable(await openUnlessStopped(file, stop))
    const report = await ingestSource(source, settings, stop.signal)
    process.stdout.write(describeReport(file, settings.database.name, report))
    // A pipe that was opened by its name is read on a thread that nothing but the end of the process stops.
    if (stop.signal.aborted && !source.isResumable && file !== '-') stop.endNow()
    return report.failure === undefined ? EXIT.ok : reportFailure(report.failure)
  } catch (error) {
    if (!isOfOneFile(error)) throw error
    return reportFailure(error)
  }
}

/** Whether the other files can be ingested all the same. */
export function isOfOneFile(error: unknown): boolean {
  return error instanceof InputError || (error instanceof CommandError && error.exitCode === EXIT.busy)
}

/** A pipe that nobody writes to opens never: then there is nothing to drain, and no other way out. */
async function openUnlessStopped(file: string, stop: Stop): Promise<Source> {
  stop.signal.addEventListener('abort', stop.endNow)
  try {
    return await openSource(file, { now: Date.now(), stdin: process.stdin })
  } finally {
    stop.signal.removeEventListener('abort', stop.endNow)
  }
}

function disposable<T extends { close(): Promise<void> }>(resource: T): T & AsyncDisposable {
  return Object.assign(resource, { [Symbol.asyncDispose]: () => resource.close() })
}
