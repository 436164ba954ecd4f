/**
 * Works on scopes until it is killed, going on where they are. Says `saved SCOPE STEP` when a step is committed, and `so-far N` behind
 * it, the how manieth that is.
 *
 *   node live-process.ts STORE WRITER   (STORE: a file, or postgres://…)
 */
import { setImmediate } from 'node:timers/promises'
import { open } from '../../src/index.ts'
import { postgres } from '../../src/stores/postgres/index.ts'
import { sqlite } from '../../src/stores/sqlite/index.ts'
import { chaptersOf, scopes, type Tables } from './live-states.ts'

const [, , store = '', writer = ''] = process.argv
let saves = 0
const opened = store.startsWith('postgres:') ? postgres(store) : sqlite(store)
const db = await open<Tables>(opened, { writer, batch: { lingerMs: 1 } })

await Promise.all(
  scopes.map(async (id) => {
    const book = await db.live('books', { id }, { children: { chapters: 'book' }, timeoutMs: 60_000 })
    console.log(`open ${id} ${book.row?.step ?? 0}`)
    for (let step = (book.row?.step ?? 0) + 1; ; step++) {
      const chapters = book.rows('chapters')
      book.set({ step, chapters: 0 })
      for (const change of chaptersOf(step))
        if (change.kind === 'set') chapters.set({ n: change.n, title: change.title })
        else chapters.delete({ n: change.n })
      book.set({ chapters: chapters.size })
      await setImmediate()
      if (step % 50 !== 0) continue
      await book.flush()
      console.log(`saved ${id} ${step}`)
      console.log(`so-far ${++saves}`)
    }
  }),
)
