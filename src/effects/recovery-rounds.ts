/**
 * The rounds in which rows of a kind get the effect that they lack, one after another, whoever makes them.
 *
 * Keeps: law 8 (a round is committed with what it enqueues, and names the last one before its rows were looked for: of
 * two that looked at the same time, in one engine or in two processes, the later is refused as a whole. It looks again,
 * and finds what the other has enqueued to be under way).
 *
 * The rows that were looked for are the source, and what is kept of the rounds is its checkpoint.
 */
import { OwnRuns } from '../own-runs.ts'
import type { EffectsHost, EffectWrite } from './host.ts'
import { own } from './own-tables.ts'

/** The ids of the last few rounds as they are kept, in their order; undefined: there was none. */
export type Rounds = string | undefined

/**
 * So many others may be committed before whoever made a round has seen that it is. After more it takes its round for
 * refused, and does not tell what that enqueued.
 */
const remembered = 8

const roundsSql = {
  sql: 'SELECT value FROM tidemark_checkpoints WHERE source = ?',
  surrealql: "SELECT `value` FROM type::record('tidemark_checkpoints', ?)",
}

export async function readRounds(host: EffectsHost, kind: string): Promise<Rounds> {
  const [row] = await host.ask(roundsSql, [sourceOf(kind)])
  return row && String(row['value'])
}

/**
 * @param last as it was read before the rows were looked for
 * @returns false: another round was committed since
 * @throws whatever else it was refused for; EngineStoppedError
 */
export async function commitRound(
  host: EffectsHost,
  kind: string,
  last: Rounds,
  write: EffectWrite,
): Promise<boolean> {
  const id = host.runtime.uniqueId()
  const next = JSON.stringify([...idsOf(last), id].slice(-remembered))
  const nowMs = Math.floor(host.runtime.wallMs())
  const runs = new OwnRuns()
  if (last === undefined) runs.add(own.beginRounds, sourceOf(kind), next, nowMs)
  else runs.add(own.nextRound, next, nowMs, sourceOf(kind), last)
  const refusal = await host.commit(runs.runs, [write])
  // Also when it is not refused: its reply may have been lost, and then nobody has said.
  const rounds = await readRounds(host, kind)
  if (refusal !== undefined && rounds === last) throw refusal
  return idsOf(rounds).includes(id)
}

function sourceOf(kind: string): string {
  return `tidemark:recover:${kind}`
}

function idsOf(rounds: Rounds): readonly string[] {
  return rounds === undefined ? [] : (JSON.parse(rounds) as string[])
}
