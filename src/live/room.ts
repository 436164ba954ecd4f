/**
 * How much live scopes may hold.
 *
 * Keeps: law 7 (rows and bytes are bounded; what is not committed never has to leave).
 */
import { TidemarkError } from '../errors.ts'
import type { Scope } from './scope.ts'

export interface RoomLimits {
  readonly maxRows: number
  readonly maxBytes: number
}

export class Room {
  rows = 0
  bytes = 0
  readonly #limits: RoomLimits
  readonly #scopes: Map<string, Scope>
  readonly #evict: (scope: Scope) => void

  /** @param scopes all that there are; their order is changed here */
  constructor(limits: RoomLimits, scopes: Map<string, Scope>, evict: (scope: Scope) => void) {
    this.#limits = limits
    this.#scopes = scopes
    this.#evict = evict
  }

  /**
   * Evicts scopes that are saved until there is room: those that were not used since the last time somebody looked.
   *
   * @returns whether there is
   */
  make(rows: number, bytes: number, except: Scope): boolean {
    for (let looks = 2 * this.#scopes.size; looks > 0 && !this.#has(rows, bytes); looks--) {
      const [oldest] = this.#scopes.values()
      if (oldest === undefined) break
      this.#scopes.delete(oldest.name)
      this.#scopes.set(oldest.name, oldest)
      const { isTouched } = oldest
      oldest.isTouched = false
      if (!isTouched && oldest !== except && oldest.isSaved) this.#evict(oldest)
    }
    return this.#has(rows, bytes)
  }

  /** @throws TidemarkError `LIVE_FULL` */
  require(rows: number, bytes: number, except: Scope): void {
    if (this.#has(rows, bytes) || this.make(rows, bytes, except)) return
    const { maxRows, maxBytes } = this.#limits
    throw new TidemarkError(
      'LIVE_FULL',
      `live scopes hold ${this.rows} rows of at most ${maxRows} and ${this.bytes} bytes of at most ${maxBytes}: there is no room for more of ${except.name}, and what the others hold is not committed yet.`,
      {
        retryable: true,
        hint: 'Close scopes that are not needed, or raise `live.maxRows` or `live.maxBytes`.',
      },
    )
  }

  #has(rows: number, bytes: number): boolean {
    return this.rows + rows <= this.#limits.maxRows && this.bytes + bytes <= this.#limits.maxBytes
  }
}
