/** Stages that depend on each other: each reads what the one before has written, and begins when it may. */
import { memory } from '../../../src/stores/memory/index.ts'
import { open, type Tidemark } from '../../../src/tidemark.ts'
import type { LiveJob, Workload } from '../../job.ts'
import { startMeter, type Usage } from '../../measure.ts'
import { delayedStore } from '../../peers/live/delayed-store.ts'
import type { PipelineName } from '../../peers/live/index.ts'
import { PIPELINES } from '../../peers/live/pipelines.ts'
import { benchStore } from '../../peers/tidemark.ts'
import { percentilesOf, type Percentiles } from '../../statistics.ts'
import { CREATE_TABLES, jobId, type PartRow, type Tables } from './rows.ts'
import { STAGES } from './sizes.ts'
import { jobAfter, partOf } from './stages.ts'

const WARM_ENTITIES = 50

export interface Piped {
  /** From the first change of a stage to the first change of the next. */
  readonly stageMs: Percentiles
  /** From before the entity was opened until all of it was committed, one entity a sample. */
  readonly entityMs: Percentiles
  readonly commits: number
  readonly usage: Usage
}

interface Times {
  readonly stageMs: number[]
  readonly entityMs: number[]
}

export const pipeline: Workload<Piped, LiveJob> = async (job) => {
  const name = job.peer as PipelineName
  // Warm code on a database in memory: on a slow store the warm-up would take longer than what is measured.
  const warm = await open<Tables>(memory({ schema: CREATE_TABLES }))
  await runEntities(name, warm, { entities: WARM_ENTITIES, rows: job.rows })
  await warm.close()

  const store = benchStore(job.file)
  const db = await open<Tables>(job.commitMs > 0 ? delayedStore(store, job.commitMs) : store)
  const before = db.stats().transactions.count
  const stop = startMeter()
  const { stageMs, entityMs } = await runEntities(name, db, job)
  const usage = stop()
  const commits = db.stats().transactions.count - before
  await db.close()
  return { stageMs: percentilesOf(stageMs), entityMs: percentilesOf(entityMs), commits, usage }
}

/** One after another. */
async function runEntities(
  name: PipelineName,
  db: Tidemark<Tables>,
  { entities, rows }: Pick<LiveJob, 'entities' | 'rows'>,
): Promise<Times> {
  const times: Times = { stageMs: [], entityMs: [] }
  for (let entity = 0; entity < entities; entity++) await runStages(name, db, { entity, rows }, times)
  return times
}

async function runStages(
  name: PipelineName,
  db: Tidemark<Tables>,
  { entity, rows }: { readonly entity: number; readonly rows: number },
  { stageMs, entityMs }: Times,
): Promise<void> {
  const startMs = performance.now()
  const kept = await PIPELINES[name](db, jobId(entity))
  let begunMs = NaN
  for (let stage = 0; stage < STAGES; stage++) {
    const parts: PartRow[] = []
    for (let n = stage * rows; n < (stage + 1) * rows; n++) {
      const found = stage === 0 ? undefined : kept.read(n - rows)
      const before = found instanceof Promise ? await found : found
      if (stage > 0 && before === undefined)
        throw new Error(`part ${n - rows} was not there for stage ${stage}`)
      parts.push(partOf(entity, stage, n, before))
    }
    const nowMs = performance.now()
    if (stage > 0) stageMs.push(nowMs - begunMs)
    begunMs = nowMs
    await kept.write(parts, jobAfter(entity, stage))
  }
  await kept.saved()
  entityMs.push(performance.now() - startMs)
  await kept.close()
}
