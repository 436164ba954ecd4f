/** Inserts that carry one effect each, and the same without, by turns in one table. Nobody handles the effects. */
import { open } from '../../../src/tidemark.ts'
import type { EffectsJob, Workload } from '../../job.ts'
import { CommitLatency, startMeter, type Usage } from '../../measure.ts'
import type { TidemarkName } from '../../peers/effects/index.ts'
import { STORES } from '../../peers/effects/tidemark.ts'
import { pushing } from '../../peers/tidemark.ts'
import { itemAt, type Item } from './items.ts'

const KIND = 'index'
const WARM_PAIRS = 1
const ROWS_PER_TICK = 2_000

/** The turns that make a pair are next to each other in time. */
export interface PairOfTurns {
  readonly plain: Usage
  readonly carrying: Usage
}

export interface Written {
  readonly pairs: readonly PairOfTurns[]
  readonly rows: number
  readonly effects: number
}

export const writes: Workload<Written, EffectsJob> = async (job) => {
  const db = await open<{ items: Item }>(STORES[job.peer as TidemarkName](job.address))
  const latency = new CommitLatency()
  const write = {
    plain: pushing(db, ROWS_PER_TICK, (id) => db.insert('items', itemAt(id))),
    carrying: pushing(db, ROWS_PER_TICK, (id) =>
      db.insert('items', itemAt(id), { effects: [{ kind: KIND, payload: { id } }] }),
    ),
  }
  let rows = 0
  const turn = async (kind: keyof PairOfTurns): Promise<Usage> => {
    const stop = startMeter()
    await write[kind](rows, job.rows, latency)
    rows += job.rows
    return stop()
  }
  const pairs: PairOfTurns[] = []
  let end = 0
  for (let pair = -WARM_PAIRS; pair <= 0 || performance.now() < end; pair++) {
    if (pair === 0) end = performance.now() + job.roundMs
    // Who goes first changes, so that neither always finds what the other left behind.
    const order = pair % 2 === 0 ? (['plain', 'carrying'] as const) : (['carrying', 'plain'] as const)
    const first = await turn(order[0])
    const second = await turn(order[1])
    if (pair >= 0)
      pairs.push(
        order[0] === 'plain' ? { plain: first, carrying: second } : { plain: second, carrying: first },
      )
  }
  const { queued } = await db.effects.stats(KIND)
  await db.close()
  return { pairs, rows, effects: queued }
}
