/** `tidemark ingest FILE…|-` */
import { ingestSource, type IngestReport, type IngestSettings } from '../ingest/ingest-source.ts'
import { openSource } from '../ingest/open-source.ts'
import { EXIT } from '../failure.ts'
import { count } from '../terminal/progress.ts'

/** @returns the exit code */
export async function ingest(files: readonly string[], settings: IngestSettings): Promise<number> {
  const stop = stopOnSignals()
  try {
    for (const file of files) {
      await using source = disposable(await openSource(file, { now: Date.now(), stdin: process.stdin }))
      // A source that waits for more input must be woken to notice.
      stop.signal.addEventListener('abort', () => void source.close(), { once: true })
      const report = await ingestSource(source, settings, stop.signal)
      process.stdout.write(describe(file, settings.database, report))
      if (stop.signal.aborted) break
    }
    return stop.exitCode()
  } finally {
    stop.release()
  }
}

/** The first signal ends the reading and drains; the second ends the process. */
function stopOnSignals(): { signal: AbortSignal; exitCode(): number; release(): void } {
  const controller = new AbortController()
  let exitCode: number = EXIT.ok
  const listeners = (['SIGINT', 'SIGTERM'] as const).map((name) => {
    const listener = (): void => {
      const code = name === 'SIGINT' ? EXIT.interrupted : EXIT.terminated
      if (controller.signal.aborted) process.exit(code)
      exitCode = code
      process.stderr.write('\nstopping: what was read is being committed (again to end at once)\n')
      controller.abort()
    }
    process.on(name, listener)
    return { name, listener }
  })
  return {
    signal: controller.signal,
    exitCode: () => exitCode,
    release: () => {
      for (const { name, listener } of listeners) process.off(name, listener)
    },
  }
}

function disposable<T extends { close(): Promise<void> }>(resource: T): T & AsyncDisposable {
  return Object.assign(resource, { [Symbol.asyncDispose]: () => resource.close() })
}

function describe(file: string, database: string, report: IngestReport): string {
  const name = file === '-' ? 'standard input' : file
  const seconds = report.ms / 1_000
  const lines = [
    `${name}: ${count(report.rows)} rows into table "${report.table}" of ${database} in ${seconds.toFixed(1)} s ` +
      `(${count(report.rows / seconds)} rows/s, longest transaction ${report.longestTransactionMs.toFixed(1)} ms), read as ${report.format}`,
  ]
  const { detection } = report
  if (detection && detection.confidence < 0.8)
    lines.push(`not sure that it is ${report.format} (${detection.reason}); --format says it`)
  if (report.fromLine > 0)
    lines.push(`went on behind line ${count(report.fromLine)}, where the last run ended`)
  if (report.restartReason !== undefined) lines.push(`read from its beginning: ${report.restartReason}`)
  if (report.bad > 0)
    lines.push(
      `${count(report.bad)} bad lines are kept as dead letters, the first at line ${report.firstBad?.line}: ${report.firstBad?.error}`,
    )
  if (report.refused > 0)
    lines.push(`${count(report.refused)} rows were refused by the database and are kept as dead letters`)
  if (report.bad + report.refused > 0) lines.push(`see them: npx tidemark dead-letters --db ${database}`)
  if (report.incomplete)
    lines.push(
      `line ${count(report.incomplete.line)}, the last, is not finished (${report.incomplete.error}) and is left for the next run`,
    )
  if (!report.isResumable)
    lines.push('a stream cannot be resumed: stopped half-way and run again, its lines are written again')
  if (report.wasStopped && report.isResumable) lines.push('stopped; the same command goes on from here')
  return `${lines.map((line, index) => (index === 0 ? line : `  ${line}`)).join('\n')}\n`
}
