/**
 * The import with Tidemark: the main thread alone writes. Workers hand it what they read and go on; files are
 * committed together, many in a transaction, and only a full queue makes a worker wait.
 */
import type { Music } from '../schema.ts'
import { InvalidOperationError, open, sqlite } from '../tidemark.ts'
import type { Destination, Tell } from './destination.ts'
import type { Done } from './messages.ts'
import { durationsOf } from './result.ts'
import { readKnown, recordSong } from './tidemark-groups.ts'

/** Three before the first file, one that takes the ids of the songs. */
const readsBefore = 3
const reservations = 1

/** @param lingerMs how long a file may wait for company: what a crash may cost, and the next import makes up for */
export async function withTidemark(database: string, lingerMs: number, tell: Tell): Promise<Destination> {
  const db = await open<Music>(sqlite(database), {
    // One name: should two imports run into one database, the newer one ends the older one.
    writer: 'music-import',
    queue: { whenFull: 'wait' },
    // Some 40 files a transaction: few locks, and short ones even where the workers leave no core idle.
    batch: { lingerMs, maxOperations: 300, maxTransactionMs: 100 },
    ids: { songs: 'preallocated' },
  })
  const known = await readKnown(db)
  const heldMs: number[] = []
  const writeMs: number[] = []
  db.on('commit', (commit) => {
    heldMs.push(commit.longestTransactionMs)
    writeMs.push(commit.durationMs)
  })
  let busyErrors = 0
  db.on('retry', () => busyErrors++)

  // Accepted and not yet committed, in their order: no more than the queue holds.
  const pending: { readonly seq: number; readonly done: Done }[] = []
  const rejected = new Map<number, string>()
  db.on('reject', ({ position, message }) => rejected.set(position.seq, message))
  db.on('commit', ({ tidemark }) => {
    while (pending[0] !== undefined && pending[0].seq <= tidemark.seq) {
      const { seq, done } = pending[0]
      const reason = rejected.get(seq)
      rejected.delete(seq)
      pending.shift()
      tell(reason === undefined ? done : { kind: 'rejected', path: done.path, reason })
    }
  })

  return {
    knownHash: (path) => known.songs.get(path)?.hash,
    async take(answer) {
      if (answer.kind !== 'read') return tell(answer)
      const { song } = answer
      while (db.isFull) await db.ready()
      try {
        const { seq } = recordSong(db, song, known).position
        const kind = known.songs.has(song.path) ? 'changed' : 'imported'
        pending.push({ seq, done: { kind, path: song.path } })
      } catch (error) {
        // A tag that no database takes as it is. Nothing of the file was queued.
        if (!(error instanceof InvalidOperationError)) throw error
        tell({ kind: 'rejected', path: song.path, reason: error.message })
      }
    },
    async finish() {
      await db.flush()
      const { transactions } = db.stats()
      await db.close()
      return {
        writes: transactions.count + reservations,
        reads: readsBefore,
        busyErrors,
        writeMs: durationsOf(writeMs),
        heldMs: durationsOf(heldMs),
      }
    },
  }
}
