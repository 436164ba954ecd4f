/** The callers again, with a disk whose syncs take 1 ms longer, as the disks of most servers do. */
import { compareCallers, loneMs, type Callers } from './callers.ts'
import type { PostgresContext } from './job.ts'
import { startSlowServer } from './server.ts'

export interface SlowDisk {
  readonly how: string
  readonly callers: Callers
}

export async function compareOnSlowDisk(context: PostgresContext): Promise<SlowDisk | undefined> {
  const { own } = context.server
  if (own === undefined) {
    context.print('\nA server that is there already is not made slower: no slow disk was measured.')
    return undefined
  }
  await using slow = await startSlowServer(own)
  const { server, how } = slow
  const callers = await compareCallers({ ...context, server }, '1 ms added to each sync')
  context.print(
    `\nHow it was added: ${how}. Alone, the bare driver's commit took ${loneMs(callers, 'pg/single').toFixed(2)} ms.`,
  )
  return { how, callers }
}
