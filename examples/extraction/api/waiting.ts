/**
 * How fresh an answer is. `strong` waits for what follows from all that was submitted to the project before the question, or from
 * the sources that are named: each step by its own processor, since a scrape enqueues what is embedded.
 */
import type { Reads } from '../pipeline/listing.ts'
import type { Consistency } from '../tidemark.ts'
import type { Context } from './context.ts'
import { ApiProblem } from './problem.ts'

export interface Freshness {
  readonly consistency: Consistency
  readonly after?: string
  readonly timeoutMs: number
}

/** A question waits for no more rows than these. */
const mostRows = 1_000

/** @param steps that a strong read waits for, in their order */
export async function reads(
  context: Context,
  project: number,
  { consistency, after, timeoutMs }: Freshness,
  steps: readonly ('scrape' | 'embed')[],
  sources?: readonly string[],
): Promise<Reads> {
  const { db } = context
  if (consistency === 'eventual') {
    if (after !== undefined)
      throw new ApiProblem(
        400,
        'BAD_REQUEST',
        '`after` goes with readAfterWrite and strong: eventual waits for nothing.',
      )
    return db.read('eventual')
  }
  const endMs = performance.now() + timeoutMs
  const left = (): { readonly timeoutMs: number } => ({
    timeoutMs: Math.max(0, Math.round(endMs - performance.now())),
  })
  const committed = { consistency, ...(after !== undefined && { after }) }
  if (consistency === 'strong') {
    for (const step of steps) {
      const ids = await unfinished(
        db.read({ ...committed, ...left(), processors: [] }),
        project,
        step,
        sources,
      )
      if (ids.length === 0) continue
      if (!(await db.effects.isKnown(step)))
        throw new ApiProblem(503, 'STALE_READ', `No worker has ever done "${step}" here.`, {
          retryAfterMs: 1_000,
        })
      if (ids.length > mostRows)
        throw new ApiProblem(503, 'TOO_MUCH_UNFINISHED', `More than ${mostRows} documents are unfinished.`, {
          retryAfterMs: 5_000,
          hint: 'Name the sources to wait for, or ask later.',
        })
      const table = step === 'scrape' ? 'sources' : 'extractions'
      const keys = ids.map((id) => [table, { id }] as const)
      // What it reads does not matter: it waits.
      await db
        .read({ consistency, ...left(), keys, processors: [step] })
        .selectFrom('projects')
        .select('id')
        .where('id', '=', project)
        .execute()
    }
  }
  return db.read({ ...committed, ...left(), processors: [] })
}

async function unfinished(
  from: Reads,
  project: number,
  step: 'scrape' | 'embed',
  sources: readonly string[] | undefined,
): Promise<string[]> {
  const most = mostRows + 1
  let rows: readonly { readonly id: string }[]
  if (step === 'scrape') {
    const query = from
      .selectFrom('sources')
      .select('id')
      .where('project', '=', project)
      .where('state', 'in', ['waiting', 'leaving'])
    rows = await (sources ? query.where('id', 'in', sources) : query).limit(most).execute()
  } else {
    const query = from
      .selectFrom('extractions')
      .select('id')
      .where('project', '=', project)
      .where('embedding_id', 'is', null)
      .where('embed_state', '=', 'waiting')
    rows = await (sources ? query.where('id', 'in', sources) : query).limit(most).execute()
  }
  return rows.map(({ id }) => id)
}
