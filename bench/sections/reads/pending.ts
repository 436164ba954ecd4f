/** What a pending operation takes in the index of them, and what looking one up takes. */

import { DatabaseSync } from 'node:sqlite'
import { decimal, megabytes, whole } from '../../report/format.ts'
import { heading, table } from '../../report/table.ts'
import type { Accepting, LookUps, Pending } from '../../workloads/reads/pending.ts'
import { percentileCells } from './read-after-write.ts'
import { runRead, type ReadContext } from './round.ts'

export async function measurePending(context: ReadContext): Promise<Pending | undefined> {
  if (!context.isListed('tidemark')) return undefined
  const { pendingKeys, rows } = context.options
  context.progress(`${whole(pendingKeys)} pending keys`)
  let lock: DatabaseSync | undefined
  const result = await runRead<Pending>(
    context,
    { workload: 'reads/pending', peer: 'tidemark', maxOperations: pendingKeys },
    ({ written }) => ({ writtenItems: written.items - rows }),
    (moment, file) => {
      if (moment === 'take the write lock') {
        lock = new DatabaseSync(file)
        lock.exec('BEGIN IMMEDIATE')
      } else {
        lock?.exec('ROLLBACK')
        lock?.close()
      }
    },
  )
  print(context, result, pendingKeys)
  return result
}

function print(context: ReadContext, { keyed, keyless, few, many }: Pending, keys: number): void {
  const line = (name: string, of: (accepting: Accepting) => number, digits: number): string[] => [
    name,
    decimal(of(keyed), digits),
    decimal(of(keyless), digits),
    decimal(of(keyed) - of(keyless), digits),
  ]
  context.print(
    heading(`${whole(keys)} operations with a key, accepted and not committed: what the index of them takes`),
  )
  context.print(
    table(
      ['of one operation', 'with a key', 'without', 'the index'],
      [
        line('heap, bytes', ({ heapBytes }) => heapBytes / keys, 0),
        line('the call, µs, p50', ({ acceptUs }) => acceptUs.p50, 3),
        line('the call, µs, p99', ({ acceptUs }) => acceptUs.p99, 3),
        line('main thread until it is settled, µs', ({ mainThreadUs }) => mainThreadUs, 3),
      ],
    ),
  )
  context.print(
    `The heap of all: ${megabytes(keyed.heapBytes)} MB with keys, ${megabytes(keyless.heapBytes)} MB without.`,
  )
  const looks = (name: string, of: (lookUps: LookUps) => LookUps[keyof LookUps]): string[] => [
    name,
    ...[few, many].flatMap((lookUps) => percentileCells((figure) => figure(of(lookUps)), 2)),
  ]
  const headings = ['microseconds', '1,024: p50', 'p99', 'p99.9', `${whole(keys)}: p50`, 'p99', 'p99.9']
  context.print('\nLooking one up while so many are pending')
  context.print(
    table(headings, [
      looks('db.pending, pending', ({ pendingUs }) => pendingUs),
      looks('db.pending, not pending', ({ missingUs }) => missingUs),
      looks('db.get, pending', ({ getUs }) => getUs),
    ]),
  )
}
