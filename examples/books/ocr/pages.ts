/** The stage before all others, for a book that is a folder of pictures: its text, page by page. */
import { globSync } from 'node:fs'
import path from 'node:path'
import type { Change } from '../stages/stage.ts'
import type { BookState } from '../tables.ts'
import { readPage } from './read.ts'

/** A page that was read and committed before the run was killed stays read. */
export async function* readPages(folder: string, { pages }: BookState): AsyncIterable<Change> {
  const read = new Set(pages.map(({ n }) => n))
  for (const [at, picture] of globSync('*.png', { cwd: folder }).toSorted().entries()) {
    const n = at + 1
    if (read.has(n)) continue
    const { text, confidence } = await readPage(path.join(folder, picture))
    yield { table: 'pages', row: { n, picture, text, confidence } }
  }
}
