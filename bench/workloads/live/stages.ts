/** What the stages of a pipeline make: each row of a stage follows from one of the stage before. */
import { jobAt, partAt, stateAt, type JobRow, type PartRow } from './rows.ts'
import { STAGES } from './sizes.ts'

const PRIME = 1_000_003

/** @param before the same row of the stage before; undefined in the first */
export function partOf(job: number, stage: number, n: number, before: PartRow | undefined): PartRow {
  const progress = ((before?.progress ?? job) * 31 + n) % PRIME
  return { ...partAt(job, n), state: stateAt(stage), progress, text: `${stateAt(stage)} from ${progress}` }
}

/** The job when a stage has been through. */
export function jobAfter(job: number, stage: number): JobRow {
  return { ...jobAt(job), stage: stateAt(stage), progress: stage + 1 }
}

/** All that must be in the file in the end, in the order of its keys. */
export function pipelineRows(
  entities: number,
  rowsPerStage: number,
): { readonly jobs: readonly JobRow[]; readonly parts: readonly PartRow[] } {
  const jobs: JobRow[] = []
  const parts: PartRow[] = []
  for (let job = 0; job < entities; job++) {
    jobs.push(jobAfter(job, STAGES - 1))
    const own: PartRow[] = []
    for (let n = 0; n < STAGES * rowsPerStage; n++)
      own.push(partOf(job, Math.floor(n / rowsPerStage), n, own[n - rowsPerStage]))
    parts.push(...own)
  }
  return { jobs, parts }
}
