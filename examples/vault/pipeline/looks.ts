/**
 * Paths at which something happened, until somebody has looked at what is there now. What happened is not asked: the disk is.
 * So events may come twice, out of order, or for a file that is gone again.
 *
 * Strong reads wait for it too, as for any processor: a file that was saved counts as pending until it was looked at.
 */
import type { Processor } from '../tidemark.ts'

export interface LooksOptions {
  /** How long after an event, in ms: editors write several times, or remove a file and put another in its place. */
  readonly settleMs: number
  /** Looks under way at once. */
  readonly atOnce: number
  /** How long until a look that failed, or met a file that was being written, is tried again, in ms. */
  readonly againMs: number
}

interface Wish {
  readonly done: PromiseWithResolvers<void>
  timer: NodeJS.Timeout | undefined
  /** Something happened again while it was looked at. */
  isStale: boolean
  isRunning: boolean
}

export class Looks implements Processor {
  readonly name = 'watch'
  readonly #look: (path: string) => Promise<'done' | 'again'>
  readonly #options: LooksOptions
  readonly #wishes = new Map<string, Wish>()
  readonly #due: string[] = []
  #running = 0
  #isClosed = false
  #isHeld = false

  /** @param look says whether it has to be done again; it does not reject */
  constructor(look: (path: string) => Promise<'done' | 'again'>, options: LooksOptions) {
    this.#look = look
    this.#options = options
  }

  get size(): number {
    return this.#wishes.size
  }

  /** Something happened there. */
  see(path: string): void {
    if (this.#isClosed) return
    const wish = this.#wishes.get(path)
    if (wish) wish.isStale ||= wish.isRunning
    else this.#wish(path, this.#options.settleMs)
  }

  /** Resolves when what is there now, or a moment later, was accepted. */
  async now(path: string): Promise<void> {
    if (this.#isClosed) return
    this.see(path)
    const wish = this.#wishes.get(path)
    if (wish?.timer) this.#fall(path, wish)
    await wish?.done.promise
  }

  pending(table: string, key: Readonly<Record<string, unknown>>): boolean {
    return table === 'files' && this.#wishes.has(String(key['path']))
  }

  async idle(_table: string, key: Readonly<Record<string, unknown>>): Promise<void> {
    await this.#wishes.get(String(key['path']))?.done.promise
  }

  flush(_table: string, key: Readonly<Record<string, unknown>>): void {
    const path = String(key['path'])
    const wish = this.#wishes.get(path)
    if (wish?.timer) this.#fall(path, wish)
  }

  /** Resolves when everything that was seen before the call was accepted. */
  async settled(): Promise<void> {
    await Promise.all([...this.#wishes.values()].map(({ done }) => done.promise))
  }

  /** Nobody looks until `resume`: there is nothing to look at. */
  hold(): void {
    this.#isHeld = true
  }

  resume(): void {
    this.#isHeld = false
    this.#next()
  }

  close(): void {
    this.#isClosed = true
    for (const { timer, done } of this.#wishes.values()) {
      clearTimeout(timer)
      done.resolve()
    }
    this.#wishes.clear()
    this.#due.length = 0
  }

  #wish(path: string, inMs: number, done = Promise.withResolvers<void>()): void {
    const wish: Wish = { done, isStale: false, isRunning: false, timer: undefined }
    this.#wishes.set(path, wish)
    wish.timer = setTimeout(() => this.#fall(path, wish), inMs)
  }

  #fall(path: string, wish: Wish): void {
    clearTimeout(wish.timer)
    wish.timer = undefined
    this.#due.push(path)
    this.#next()
  }

  #next(): void {
    while (!this.#isHeld && this.#running < this.#options.atOnce) {
      const path = this.#due.shift()
      if (path === undefined) return
      this.#running++
      void this.#run(path)
    }
  }

  async #run(path: string): Promise<void> {
    const wish = this.#wishes.get(path)
    if (wish) wish.isRunning = true
    const outcome = await this.#look(path)
    this.#running--
    if (wish && this.#wishes.get(path) === wish) {
      this.#wishes.delete(path)
      if (outcome === 'again' || wish.isStale)
        this.#wish(path, outcome === 'again' ? this.#options.againMs : 0, wish.done)
      else wish.done.resolve()
    }
    this.#next()
  }
}
