/** A connection for what is done beside the batches: one piece of work after another, made again when it was lost. */
import { StoreError } from '../../errors.ts'
import type { Connection } from './connection.ts'
import { Session } from './session.ts'

export class Side {
  readonly #open: () => Promise<Connection>
  #connection: Connection | undefined
  #last: Promise<unknown> = Promise.resolve()
  #isClosed = false

  constructor(open: () => Promise<Connection>) {
    this.#open = open
  }

  /** Runs `work` when what was asked for before has ended. */
  run<T>(work: (session: Session) => Promise<T>): Promise<T> {
    const running = this.#last.then(async () => await work(new Session(await this.#living())))
    this.#last = running.catch(() => undefined)
    return running
  }

  async #living(): Promise<Connection> {
    if (this.#isClosed) throw new StoreError('fatal', 'the store was closed')
    if (this.#connection === undefined || this.#connection.isLost) this.#connection = await this.#open()
    // The store was closed while it was made.
    if (this.#isClosed) this.#connection.destroy()
    return this.#connection
  }

  async end(): Promise<void> {
    this.#isClosed = true
    await this.#connection?.end()
  }

  abandon(): void {
    this.#isClosed = true
    this.#connection?.destroy()
  }
}
