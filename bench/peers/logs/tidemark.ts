/** Tidemark's log store, entry by entry, or in loads of rows as a server has them. */
import { QueueFullError } from '../../../src/errors.ts'
import { openLogs, type LogRow, type LogStore, type LogsOptions } from '../../../src/logs/index.ts'
import type { Receipt } from '../../../src/writes/receipt.ts'
import { nextTurn, type Peer } from '../peer.ts'
import { benchStore } from '../tidemark.ts'
import type { OpenLogPeer } from './peer.ts'

const ROWS_PER_LOAD = 1_000

/** The log store as every section uses it: its own defaults, and the pragmas that all contenders share. */
export function openLogStore(file: string, options: LogsOptions = {}): Promise<LogStore> {
  return openLogs(benchStore(file), options)
}

export const byEntry: OpenLogPeer = (file, entries, { rowsPerCommit, rowsPerTick }) =>
  openPeer(file, rowsPerCommit, async (logs, first, count, accepted) => {
    for (let n = first; n < first + count; n++) {
      const entry = entries.at(n)
      accepted(n, await takenBy(logs, () => logs.store(entry)))
      if (n % rowsPerTick === rowsPerTick - 1) await nextTurn()
    }
  })

/** Rows whose attributes are text already, a thousand at a time. */
export const byLoad: OpenLogPeer = (file, entries, { rowsPerCommit }) => {
  const loads = Array.from({ length: Math.floor(entries.size / ROWS_PER_LOAD) }, (_, load) =>
    Array.from({ length: ROWS_PER_LOAD }, (__, at): LogRow => {
      const { attributes, ...entry } = entries.at(load * ROWS_PER_LOAD + at)
      return { ...entry, attributes: JSON.stringify(attributes) }
    }),
  )
  return openPeer(file, rowsPerCommit, async (logs, first, count, accepted) => {
    for (let n = first; n < first + count; n += ROWS_PER_LOAD) {
      const rows = (loads[(n / ROWS_PER_LOAD) % loads.length] ?? []).slice(0, first + count - n)
      accepted(n, await takenBy(logs, () => logs.storeRows(rows)))
      await nextTurn()
    }
  })
}

/** In a box: a promise of the receipt itself would wait for its commit. */
interface Taken {
  readonly receipt: Receipt
}

/** Waits while the queue is full. */
export async function takenBy({ tidemark }: LogStore, take: () => Receipt): Promise<Taken> {
  for (;;) {
    if (tidemark.isFull) await tidemark.ready()
    try {
      return { receipt: take() }
    } catch (error) {
      if (!(error instanceof QueueFullError)) throw error
      await tidemark.ready()
    }
  }
}

type Feed = (
  logs: LogStore,
  first: number,
  count: number,
  accepted: (n: number, taken: Taken) => void,
) => Promise<void>

async function openPeer(file: string, rowsPerCommit: number, feed: Feed): Promise<Peer> {
  // A queue of ten batches: the store's own default is a hundred.
  const maxOperations = Math.max(10_000, 10 * rowsPerCommit)
  const logs = await openLogStore(file, {
    batch: { maxOperations: rowsPerCommit },
    queue: { maxOperations },
  })
  return {
    sqliteVersion: String(process.versions['sqlite']),
    async write(first, count, latency) {
      const stopListening = logs.tidemark.on('commit', ({ tidemark }) => latency.committedUpTo(tidemark.seq))
      await feed(logs, first, count, (n, { receipt }) => {
        if (n % 100 === 0) latency.accepted(receipt.position.seq)
      })
      await logs.tidemark.flush()
      stopListening()
    },
    close: () => logs.close(),
  }
}
