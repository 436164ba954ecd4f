/** How an entity is kept while its stages run: the same engine, and four ways to use it. */
import type { Tidemark } from '../../../src/tidemark.ts'
import type { PartRow, Tables } from '../../workloads/live/rows.ts'
import type { PipelineName } from './index.ts'

type Maybe<T> = T | Promise<T>

/** One job and its parts, for the stages that work on it. */
export interface Entity {
  read(n: number): Maybe<PartRow | undefined>
  /** What one stage changes. Done when the next may begin. */
  write(parts: readonly PartRow[], job: Tables['jobs']): Maybe<void>
  /** Everything is committed. */
  saved(): Promise<unknown>
  close(): Promise<void>
}

export type BeginEntity = (db: Tidemark<Tables>, id: string) => Maybe<Entity>

export const PIPELINES: Readonly<Record<PipelineName, BeginEntity>> = {
  /** Memory first: nobody waits for a commit but who asks at the end. */
  'tidemark/live': async (db, id) => {
    const scope = await db.live('jobs', { id }, { children: { parts: 'job' } })
    const rows = scope.rows('parts')
    return {
      read: (n) => rows.get({ n }),
      write(parts, job) {
        for (const part of parts) rows.set(part)
        scope.set(job)
      },
      saved: () => scope.flush(),
      close: () => scope.close(),
    }
  },
  /** Written behind, row by row, and read through what is pending. */
  'tidemark/calls': (db, id) => ({
    ...readsOf(db, id),
    write(parts, job) {
      for (const part of parts) db.upsert('parts', part)
      db.upsert('jobs', job)
    },
    saved: () => db.flush(),
  }),
  /** A stage is one group, and the next begins when it is committed. */
  'tidemark/atomic': (db, id) => ({
    ...readsOf(db, id),
    async write(parts, job) {
      await db.atomic((group) => {
        for (const part of parts) group.upsert('parts', part)
        group.upsert('jobs', job)
      })
    },
  }),
  /** Each row is awaited before the next one is written. */
  'tidemark/each': (db, id) => ({
    ...readsOf(db, id),
    async write(parts, job) {
      for (const part of parts) await db.upsert('parts', part)
      await db.upsert('jobs', job)
    },
  }),
}

function readsOf(db: Tidemark<Tables>, job: string): Omit<Entity, 'write'> {
  return {
    read: async (n) => (await db.get('parts', { job, n })).row,
    saved: () => Promise.resolve(),
    close: () => Promise.resolve(),
  }
}
