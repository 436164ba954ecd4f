/** What a session, or a bookmark, stands for: writes by how they came to be known. */
import type { WriteId } from './history.ts'

export class Knowledge {
  /** The session's own writes, in whichever process. */
  readonly wrote = new Set<WriteId>()
  /** What its reads have shown. */
  readonly saw = new Set<WriteId>()
  /** What bookmarks of others told it of. */
  readonly told = new Set<WriteId>()
  /** A bookmark came from another process: it may name positions that hold no write, or one that was rejected. */
  isFromElsewhere = false

  all(): Set<WriteId> {
    return new Set([...this.wrote, ...this.saw, ...this.told])
  }

  copy(): Knowledge {
    const copy = new Knowledge()
    copy.continue(this)
    return copy
  }

  /** The same session goes on here. */
  continue(earlier: Knowledge): void {
    addAll(this.wrote, earlier.wrote)
    addAll(this.saw, earlier.saw)
    addAll(this.told, earlier.told)
    this.isFromElsewhere ||= earlier.isFromElsewhere
  }

  /** A bookmark of somebody else's. */
  include(others: Knowledge): void {
    addAll(this.told, others.all())
    this.isFromElsewhere ||= others.isFromElsewhere
  }
}

export function addAll<T>(set: Set<T>, more: Iterable<T>): void {
  for (const one of more) set.add(one)
}
