/** The last that can be done for lines that find no place: into a file, or a word about how many they are. */
import { appendFileSync, writeSync } from 'node:fs'

export class Fallback {
  readonly file: string | undefined

  constructor(file: string | undefined) {
    this.file = file
  }

  /** @param why what is said of them */
  keep(lines: readonly string[], why: string): void {
    if (lines.length === 0) return
    const count = `${lines.length} log line${lines.length === 1 ? '' : 's'}`
    if (this.file === undefined) return complain(`${count} ${why} and are lost.`)
    try {
      appendFileSync(this.file, `${lines.join('\n')}\n`)
      complain(`${count} ${why} and are in ${this.file}.`)
    } catch (error) {
      complain(`${count} ${why} and are lost: ${(error as Error).message}.`)
    }
  }
}

/** Past `process.stderr`: a worker's goes through the main thread, which is waiting for this one when a program ends. */
export function complain(text: string): void {
  try {
    writeSync(2, `tidemark/pino: ${text}\n`)
  } catch {
    // Nobody listens.
  }
}
