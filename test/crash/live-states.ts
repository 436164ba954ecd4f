/**
 * What a job makes of its scopes, step by step: each step changes several rows of one scope, and what is there after so
 * many steps follows from their number alone.
 */

export interface Tables {
  readonly books: { readonly id: string; readonly step: number; readonly chapters: number }
  readonly chapters: { readonly book: string; readonly n: number; readonly title: string }
}

export const schema = `
  CREATE TABLE books (id TEXT PRIMARY KEY, step INTEGER NOT NULL, chapters INTEGER NOT NULL);
  CREATE TABLE chapters (
    book TEXT NOT NULL REFERENCES books, n INTEGER NOT NULL, title TEXT NOT NULL, PRIMARY KEY (book, n)
  );`

export const scopes: readonly string[] = ['ahab', 'ishmael', 'queequeg']
const places = 12

export type Chapter =
  | { readonly kind: 'set'; readonly n: number; readonly title: string }
  | { readonly kind: 'delete'; readonly n: number }

/** What step `step` does to the chapters. */
export function chaptersOf(step: number): readonly Chapter[] {
  const set = { kind: 'set' as const, n: (step * 7) % places, title: `step ${step}` }
  return step % 3 === 0 ? [set, { kind: 'delete', n: (step * 5) % places }] : [set]
}

/** All chapters after so many steps, by number. */
export function chaptersAfter(steps: number): Map<number, string> {
  const chapters = new Map<number, string>()
  for (let step = 1; step <= steps; step++)
    for (const change of chaptersOf(step))
      if (change.kind === 'set') chapters.set(change.n, change.title)
      else chapters.delete(change.n)
  return chapters
}
