/** How far a source is. */
import type { Reads } from '../pipeline/listing.ts'
import type { SourceState, StepState } from '../tables.ts'

interface Step {
  readonly state: StepState
  /** Since what it follows from; null: it is not done. */
  readonly ms: number | null
}

export interface SourceStatus {
  readonly id: string
  readonly project: number
  readonly uri: string
  readonly state: SourceState
  readonly problem: string | null
  readonly submitted_ms: number
  readonly steps: { readonly scrape: Step; readonly embed: Step; readonly llm: Step }
  readonly totalMs: number | null
  readonly entities: number
}

export async function statusOf(reads: Reads, id: string): Promise<SourceStatus | undefined> {
  const [row] = await reads
    .selectFrom('sources')
    .leftJoin('extractions', 'extractions.id', 'sources.id')
    .select([
      'sources.id',
      'sources.project',
      'sources.uri',
      'sources.state',
      'sources.problem',
      'sources.submitted_ms',
      'sources.scraped_ms',
      'extractions.embed_state',
      'extractions.embedded_ms',
      'extractions.llm_state',
      'extractions.refined_ms',
      'extractions.problem as of_extraction',
    ])
    .select((build) =>
      build
        .selectFrom('entities')
        .select(build.fn.countAll().as('count'))
        .whereRef('entities.extraction', '=', 'sources.id')
        .as('entities'),
    )
    .where('sources.id', '=', id)
    .execute()
  if (row === undefined) return undefined
  const { project, uri, state, problem, submitted_ms, scraped_ms } = row
  // Of a source that is read again, what is there is of the time before.
  const isRead = state === 'extracted'
  const scrape: Step = {
    state: state === 'failed' ? 'failed' : isRead ? 'done' : 'waiting',
    ms: since(submitted_ms, scraped_ms),
  }
  const embed: Step = isRead
    ? { state: row.embed_state ?? 'waiting', ms: since(scraped_ms, row.embedded_ms) }
    : { state: scrape.state, ms: null }
  const llm: Step = isRead
    ? { state: row.llm_state ?? 'waiting', ms: since(scraped_ms, row.refined_ms) }
    : { state: scrape.state, ms: null }
  const isDone = embed.state === 'done' && llm.state === 'done'
  const last = Math.max(Number(row.embedded_ms), Number(row.refined_ms))
  return {
    id,
    project,
    uri,
    state,
    problem: problem ?? row.of_extraction,
    submitted_ms,
    steps: { scrape, embed, llm },
    totalMs: isDone ? since(submitted_ms, last) : null,
    entities: Number(row.entities),
  }
}

function since(from: number | null, to: number | null): number | null {
  return from === null || to === null ? null : Math.max(0, to - from)
}
