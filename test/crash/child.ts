/**
 * The process that is killed. It opens the same writer name as its predecessors, writes the planned operations
 * as fast as it can, and says on a pipe which positions were acknowledged to it.
 *
 *   node child.ts FILE_OR_URL SEED JOURNAL_MODE VERSIONS [LAST_POSITION]
 *
 * Without a last position it goes on until it is killed. VERSIONS is what the counters are at, as JSON.
 */
import { writeSync } from 'node:fs'
import { flushCompileCache } from 'node:module'
import { open, type Receipt } from '../../src/index.ts'
import { sqlite } from '../../src/stores/sqlite/index.ts'
import { plan, type LatestRow, type Operation, type Row } from './workload.ts'

interface DB {
  rows: Row
  latest: LatestRow
  counters: { key: string; n: number; version: number }
}

const [, , address = '', seed = '', journalMode = '', counted = '{}', last = 'Infinity'] = process.argv

const nobody = new Int32Array(new SharedArrayBuffer(4))

/** Past Node's own buffers: what was said before the kill is there. */
function say(line: string): void {
  for (let rest = Buffer.from(`${line}\n`); rest.length > 0;) {
    try {
      rest = rest.subarray(writeSync(1, rest))
    } catch (error) {
      // The pipe is full, since the one who listens has something else to do.
      if (!(error instanceof Error && 'code' in error && error.code === 'EAGAIN')) throw error
      Atomics.wait(nobody, 0, 0, 1)
    }
  }
}

const isServer = address.startsWith('postgres:')
// Hundreds of these processes are started, most of them for files.
const server = isServer ? await import('../../src/stores/postgres/index.ts') : undefined

// A process that is killed leaves no compiled sources behind for the next.
flushCompileCache()

/** A small batch goes to a server in another way than a large one: every second database is written to in such. */
const maxOperations = isServer && Number(seed) % 2 === 1 ? 4 : 200

say('opening')
const db = await open<DB>(
  server?.postgres(address) ??
    // A small cache makes a batch write to the log long before it commits: a kill inside it leaves its trace.
    sqlite(address, { journalMode: journalMode === 'delete' ? 'delete' : 'wal', cacheBytes: 64 * 1024 }),
  { writer: 'crashing', queue: { maxOperations: 1_000, whenFull: 'wait' }, batch: { maxOperations } },
)
say(`ready ${db.epoch}`)

const versions = new Map(Object.entries(JSON.parse(counted) as Record<string, number>))
const acknowledged: string[] = []

for (const { last: position, operation } of plan(Number(seed), db.epoch)) {
  if (position > Number(last)) break
  const receipt = write(operation)
  if (receipt.position.seq !== position) throw new Error(`position ${receipt.position.seq}, not ${position}`)
  void receipt.outcome().then(({ kind }) => acknowledge(`${kind} ${position}`))
  if (db.isFull) await db.ready()
}
say('closing')
await db.close()
say('closed')

function write(operation: Operation): Receipt {
  switch (operation.kind) {
    case 'row':
      return db.insert('rows', operation.row)
    case 'group':
      return db.atomic((group) => {
        for (const row of operation.rows) group.insert('rows', row)
        group.write(increment(operation.key))
      })
    case 'upsert':
      return db.upsert('latest', operation.row)
    case 'increment':
      return db.write(increment(operation.key))
    case 'guard': {
      const { key, isStale } = operation
      const version = versions.get(key) ?? 0
      if (!isStale) versions.set(key, version + 1)
      const expected = isStale ? version - 1 : version
      return db.update('counters', { key, version: expected }, { version: expected + 1 }, { expect: 1 })
    }
    case 'load':
      return db.insertMany('rows', operation.rows, {
        atomic: false,
        checkpoint: { source: operation.source, value: operation.rows.at(-1)?.seq ?? 0 },
      })
  }
}

function increment(key: string): { sql: string; parameters: unknown[] } {
  return { sql: `UPDATE counters SET n = n + 1 WHERE key = ${isServer ? '$1' : '?'}`, parameters: [key] }
}

/** All acknowledgements of one tick in one line: a line for each would slow down what is to be killed. */
function acknowledge(what: string): void {
  if (acknowledged.push(what) > 1) return
  setImmediate(() => say(`acknowledged ${acknowledged.splice(0).join(',')}.`))
}
