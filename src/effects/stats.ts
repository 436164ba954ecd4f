/** How much of each kind is not finished, as the database tells. */
import type { EffectsHost } from './host.ts'

/** What is known of one kind, in this engine and in the database. */
export interface EffectQueue {
  readonly kind: string
  /** Effects in the outbox whose segment is not finished, and those with rows of their own that wait or are dead. */
  readonly queued: number
  readonly waiting: number
  readonly dead: number
  /** Since the oldest unfinished one was committed, in ms. */
  readonly oldestMs: number
  readonly isPaused: boolean
}

/** The same, and what the handler of this engine has done. */
export interface EffectStats extends EffectQueue {
  /** Of the handler of this engine; absent where it handles none of this kind. */
  readonly handler?: {
    readonly lanes: number
    readonly running: number
    readonly limit: number
    readonly isDown: boolean
    /** It knows that the kind is paused: within `pollMs`. */
    readonly isPaused: boolean
    readonly delivered: number
    readonly failed: number
    readonly dead: number
    readonly calls: number
    readonly callMs: number
    readonly buckets: readonly number[]
  }
}

export async function readKinds(host: Pick<EffectsHost, 'ask'>): Promise<string[]> {
  const rows = await host.ask(
    `SELECT kind FROM tidemark_kinds UNION SELECT kind FROM tidemark_segments
     UNION SELECT kind FROM tidemark_effects ORDER BY kind`,
    [],
  )
  return rows.map(({ kind }) => String(kind))
}

export async function readQueue(
  host: Pick<EffectsHost, 'ask'>,
  kind: string,
  nowMs: number,
): Promise<EffectQueue> {
  const [queue] = await host.ask(
    'SELECT coalesce(sum(items), 0) AS items, min(committed_at) AS oldest FROM tidemark_segments WHERE kind = ?',
    [kind],
  )
  const rows = await host.ask(
    'SELECT state, count(*) AS count, min(committed_at) AS oldest FROM tidemark_effects WHERE kind = ? GROUP BY state',
    [kind],
  )
  const [known] = await host.ask('SELECT paused FROM tidemark_kinds WHERE kind = ?', [kind])
  const of = (state: string): Record<string, unknown> | undefined =>
    rows.find((row) => row['state'] === state)
  const oldest = [queue, of('waiting')].flatMap((row) => row?.['oldest'] ?? []).map(Number)
  return {
    kind,
    queued: Number(queue?.['items'] ?? 0),
    waiting: Number(of('waiting')?.['count'] ?? 0),
    dead: Number(of('dead')?.['count'] ?? 0),
    oldestMs: oldest.length === 0 ? 0 : Math.max(0, nowMs - Math.min(...oldest)),
    isPaused: Number(known?.['paused'] ?? 0) === 1,
  }
}
