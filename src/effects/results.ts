/**
 * What handlers gave as results, kept until somebody fetches it or its time is over.
 *
 * Keeps: law 8 (a result is committed together with the fact that its effect is delivered, also when whoever asked for it
 * has stopped waiting), law 7 (results are kept for a time, not for ever).
 */
import type { Json } from '../contracts/values.ts'
import type { EffectsHost } from './host.ts'
import { commitInParts } from './in-parts.ts'
import { own } from './own-tables.ts'
import type { EffectPlace } from '../segments.ts'

const droppedAtOnce = 500

/** @returns undefined when there is none, or none any more */
export async function readResult(
  host: EffectsHost,
  { epoch, seq, n }: EffectPlace,
): Promise<{ result: Json } | undefined> {
  const [row] = await host.ask('SELECT result FROM tidemark_results WHERE epoch = ? AND seq = ? AND n = ?', [
    epoch,
    seq,
    n,
  ])
  return row === undefined ? undefined : { result: JSON.parse(String(row['result'])) as Json }
}

/** Those of a kind that are too old, a few at a time. */
export async function dropOldResults(host: EffectsHost, kind: string, keptMs: number): Promise<void> {
  const rows = await host.ask(
    `SELECT epoch, seq, n, delivered_at FROM tidemark_results WHERE kind = ? AND delivered_at < ?
     ORDER BY delivered_at LIMIT ${droppedAtOnce}`,
    [kind, Math.floor(host.runtime.wallMs() - keptMs)],
  )
  await commitInParts(host, rows, (runs, { epoch, seq, n }) =>
    runs.add(own.dropResult, Number(epoch), Number(seq), Number(n)),
  )
}
