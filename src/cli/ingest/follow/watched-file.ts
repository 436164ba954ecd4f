/**
 * An open file and the path it was found at, watched for what its writer does next. A rename leaves the open file as
 * it is, so its last lines can be read whatever has its name by then.
 */
import type { FileHandle } from 'node:fs/promises'
import { setTimeout as after } from 'node:timers/promises'
import { keyOf, statusOf } from './status.ts'

/**
 * How often it is looked at. Asking for a file's size works on every disk, also where the system tells of no changes
 * (network disks, mounts of containers), costs microseconds, and a quarter of a second is at once for who looks on.
 */
export const POLL_MS = 250
/**
 * A file that another one has taken the name of must have been quiet for so many looks, one second: a writer goes on
 * with the file that it has open until it is told of the new one.
 */
const QUIET_LOOKS = 4

/**
 * What became of it: `grown`, there is more to read; `cut`, what was read is not there any more; `replaced`, another
 * file has its name and nobody writes to this one; `stopped`, nobody wants to know any more.
 */
export type Change = 'grown' | 'cut' | 'replaced' | 'stopped'

export interface Watched {
  readonly handle: FileHandle
  /** `file:dev:ino` */
  readonly key: string
  /** Where the files appear that are to be read one after the other. */
  readonly path: string
  /** Whether another file has been there for long: then nobody writes to this one any more. */
  readonly isLongReplaced: boolean
  readonly signal: AbortSignal
  /** Whether what was read is still there; asked whenever the file was changed. */
  readonly isAsRead: () => boolean
}

export class WatchedFile {
  readonly #file: Watched
  #modifiedNs: bigint

  constructor(file: Watched, modifiedNs: bigint) {
    this.#file = file
    this.#modifiedNs = modifiedNs
  }

  /** When it was last changed, as far as it was looked at. */
  get modifiedMs(): number {
    return Number(this.#modifiedNs / 1_000_000n)
  }

  /** Waits until there is something behind `position`, or never will be. */
  async change(position: number): Promise<Change> {
    const { signal, isLongReplaced } = this.#file
    for (let quietLooks = 0; !signal.aborted;) {
      // Before the size: what is written until it has lost its name is then seen.
      const isReplaced = isLongReplaced || (await this.#isReplaced())
      const seen = await this.#look(position)
      if (seen !== undefined) return seen
      if (isReplaced && (isLongReplaced || quietLooks >= QUIET_LOOKS)) return 'replaced'
      quietLooks = isReplaced ? quietLooks + 1 : 0
      await pause(signal)
    }
    return 'stopped'
  }

  async #look(position: number): Promise<Change | undefined> {
    const { size, mtimeNs } = await this.#file.handle.stat({ bigint: true })
    if (size < position) return 'cut'
    const isChanged = size > position || mtimeNs !== this.#modifiedNs
    this.#modifiedNs = mtimeNs
    if (isChanged && !this.#file.isAsRead()) return 'cut'
    return size > position ? 'grown' : undefined
  }

  /** While nothing has its name, the file may be all there is. */
  async #isReplaced(): Promise<boolean> {
    const status = await statusOf(this.#file.path)
    return status !== undefined && keyOf(status) !== this.#file.key
  }
}

/** Until the next look, or until it is not wanted any more. */
export async function pause(signal: AbortSignal): Promise<void> {
  await after(POLL_MS, undefined, { signal }).catch(() => undefined)
}
