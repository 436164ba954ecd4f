import { Child } from './child.ts'

/**
 * Another process with a connection to the same database file: what an administrator's shell, a backup job or
 * another program does to it. It runs one command after the other.
 */
export class OtherProcess {
  readonly #child: Child
  #commands = 0

  constructor(file: string) {
    this.#child = new Child(new URL('sql-process.ts', import.meta.url), [file])
  }

  /** Runs SQL there. */
  run(sql: string): Promise<void> {
    return this.#command({ sql })
  }

  /** Keeps a read transaction open until `endReading`. */
  beginReading(table: string): Promise<void> {
    return this.run(`BEGIN; SELECT count(*) FROM ${table}`)
  }

  endReading(): Promise<void> {
    return this.run('COMMIT')
  }

  /** Copies the whole database into another file, over what that holds, as an online backup or restore does. */
  copyTo(target: string): Promise<void> {
    return this.#command({ copyTo: target })
  }

  async close(): Promise<void> {
    this.#child.endInput()
    await this.#child.ended
  }

  async #command(command: object): Promise<void> {
    const id = ++this.#commands
    this.#child.tell(JSON.stringify({ id, ...command }))
    const answer = await this.#child.said(`done ${id}`)
    if (answer !== '') throw new Error(answer)
  }
}
