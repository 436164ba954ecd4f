/** Where songs are recorded: the two ways of the example, as the import sees them. */
import type { Done, WorkerTally } from './messages.ts'
import type { Locks } from './result.ts'
import type { Answer } from './workers.ts'

export interface Destination {
  /** The hash with which the file was imported before, where that is known without asking the database. */
  knownHash(path: string): string | undefined
  /** Takes what a worker has to say of its file. Resolves when the worker may go on; `done` is called some time. */
  take(answer: Answer): Promise<void>
  /** Everything is committed when it resolves. */
  finish(tallies: readonly WorkerTally[]): Promise<Locks>
}

export type Tell = (done: Done) => void
