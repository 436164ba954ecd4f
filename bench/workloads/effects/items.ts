/** What every queue is given: the same items for all, made once, before any clock starts. */

export interface Item {
  readonly id: number
  readonly text: string
}

/** Of items that are not all done at once: every tenth has to wait, and every tenth fails once. */
const ONE_IN = 10

export function isDelayed(id: number): boolean {
  return id % ONE_IN === 3
}

export function failsOnce(id: number): boolean {
  return id % ONE_IN === 7
}

const POOL_SIZE = 1024
const TEXTS = Array.from(
  { length: POOL_SIZE },
  (_, index) =>
    `order ${String(index).padStart(4, '0')} was placed: tell the warehouse, the mailer and the index of it`,
)

export function itemAt(id: number): Item {
  return { id, text: TEXTS[id & (POOL_SIZE - 1)] as string }
}
