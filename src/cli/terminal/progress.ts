/** The progress bar of an ingest: on a terminal only, on standard error. */
import { Presets, SingleBar } from 'cli-progress'

export interface Progress {
  readonly rows: number
  readonly rowsPerSecond: number
  readonly queued: number
  readonly longestTransactionMs: number
}

export interface ProgressBar {
  update(bytesRead: number, progress: Progress): void
  /** Prints a line; the bar goes on below it. */
  say(text: string): void
  /** Makes room for what is printed elsewhere on the same terminal. */
  clear(): void
  /** May be called again. */
  readonly stop: () => void
}

const clearLine = '\r\u001b[K'

/** @param totalBytes undefined when the end of the input is not known */
export function progressBar(
  name: string,
  totalBytes: number | undefined,
  stream: NodeJS.WriteStream,
): ProgressBar {
  if (!stream.isTTY) {
    return {
      update: () => undefined,
      say: (text) => void stream.write(`${text}\n`),
      clear: () => undefined,
      stop: () => undefined,
    }
  }
  const gauge = totalBytes === undefined ? '' : ' {bar} {percentage}%'
  const bar = new SingleBar(
    {
      format: `${name}${gauge} | {rows} rows | {rate} rows/s | {queued} queued | longest transaction {longest} ms`,
      stream,
      fps: 10,
      hideCursor: true,
      clearOnComplete: true,
      barsize: 24,
    },
    Presets.shades_classic,
  )
  bar.start(totalBytes ?? 0, 0, payload({ rows: 0, rowsPerSecond: 0, queued: 0, longestTransactionMs: 0 }))
  return {
    update: (bytesRead, progress) =>
      bar.update(Math.min(bytesRead, totalBytes ?? bytesRead), payload(progress)),
    say: (text) => void stream.write(`${clearLine}${text}\n`),
    clear: () => void stream.write(clearLine),
    stop: () => bar.stop(),
  }
}

function payload({ rows, rowsPerSecond, queued, longestTransactionMs }: Progress): object {
  return {
    rows: count(rows),
    rate: count(rowsPerSecond),
    queued: count(queued),
    longest: longestTransactionMs.toFixed(1),
  }
}

export function count(value: number): string {
  return Math.round(value).toLocaleString('en-US')
}
