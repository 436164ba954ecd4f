/** Which rows are read, and that they are what was written. */

import type { Item } from '../../peers/reads/peer.ts'
import { createRandom, type RowPool } from '../rows.ts'

/** Keys that requests write: above all that are there before, or are pumped. */
export const FIRST_WRITTEN = 1_000_000_000
/** Keys that nobody ever writes. */
export const FIRST_MISSING = 2_000_000_000

/** Keys of 1 to `count`, in an order that is the same in every process. */
export function keysUpTo(count: number): () => number {
  const random = createRandom(7)
  return () => 1 + Math.floor(random() * count)
}

/** Throws unless this is the row of the pool that was written with this key. */
export function requireItem(rows: RowPool, id: number, item: Item | undefined): void {
  const { ts, message, attributes } = rows.at(id)
  if (item?.id !== id || item.ts !== ts || item.message !== message || item.attributes !== attributes)
    throw new Error(`row ${id} was read as ${JSON.stringify(item)}`)
}
