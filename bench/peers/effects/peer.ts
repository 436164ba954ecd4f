/** What a contender of the effects benchmark is: a queue that takes items, and has each handled until that has succeeded. */

export interface EffectsPeer {
  /**
   * Takes items number `first` to `first + count - 1`, in calls of the size that suits it.
   *
   * @param dueAt when an item may be handled, in ms since 1970; undefined: at once
   * @returns when all of them are committed
   */
  enqueue(first: number, count: number, dueAt?: (id: number) => number | undefined): Promise<void>
  /** One item, committed when its promise is done. */
  readonly enqueueOne: (id: number) => PromiseLike<unknown>
  /** Has items handled from now on. @returns a function that ends it */
  work(handling: Handling): Promise<() => Promise<void>>
  /** Items that its database still holds as not done. */
  unfinished(): Promise<number>
  close(): Promise<void>
}

export interface Handling {
  /** @returns whether it succeeded; else it is to be tried again, as soon as the contender can */
  readonly handle: (id: number) => boolean
  /** It may fail, so that what is handled together is not always done together. */
  readonly mayFail: boolean
}

/** @param address a file, or the URL of a server */
export type OpenEffectsPeer = (address: string) => Promise<EffectsPeer>

/** Made once, for all items and contenders: what it takes to record a stack is no queue's doing. */
export const failedOnce: Error = new Error('an item fails once')

/** Hands items over in calls of `perCall`, one call after another. */
export async function inCalls(
  { first, count, perCall }: { readonly first: number; readonly count: number; readonly perCall: number },
  call: (ids: readonly number[]) => Promise<unknown>,
): Promise<void> {
  for (let at = first; at < first + count; at += perCall) {
    const length = Math.min(perCall, first + count - at)
    await call(Array.from({ length }, (_, offset) => at + offset))
  }
}
