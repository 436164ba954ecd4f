/** Lists that are told a page at a time, each page from where the one before ended. */
import type { Schema } from './schemas.ts'

export interface PageQuery {
  readonly after?: number
  readonly limit: number
}

export const pageProperties: Schema = {
  after: { type: 'integer', minimum: 0, description: '`next` of the page before' },
  limit: { type: 'integer', minimum: 1, maximum: 1_000, default: 100 },
}

export const nextSchema: Schema = {
  type: ['integer', 'null'],
  description: 'Where the next page begins; null on the last',
}

/** @param find at most so many, in their order */
export async function pageOf<T>(
  limit: number,
  find: (limit: number) => Promise<readonly T[]>,
  placeOf: (item: T) => number,
): Promise<{ readonly items: readonly T[]; readonly next: number | null }> {
  // One more than asked for tells whether there is another page.
  const found = await find(limit + 1)
  const items = found.slice(0, limit)
  const last = items.at(-1)
  return { items, next: found.length > limit && last !== undefined ? placeOf(last) : null }
}
