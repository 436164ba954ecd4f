export class Limiter {
  readonly #limit: number
  running = 0
  constructor(options: { initial?: number; max?: number } | { fixed: number }, _runtime: unknown) {
    this.#limit = 'fixed' in options ? options.fixed : 16
  }
  get limit(): number {
    return this.#limit
  }
  get hasRoom(): boolean {
    return this.running < this.#limit
  }
  begin(): { end(how: 'delivered' | 'overload' | 'failed'): void } {
    this.running++
    let over = false
    return {
      end: () => {
        if (!over) this.running--
        over = true
      },
    }
  }
}
