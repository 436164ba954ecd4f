/** Reads the outbox: the segments of a kind, in the order of their numbers. */
import type { Epoch } from '../contracts/position.ts'
import type { EffectsHost } from './host.ts'
import type { Condition } from './lease.ts'
import { endOf, writerOf, type SegmentRow } from './item.ts'

/** Contents read at once: a full segment holds some hundred effects. */
const segmentsAtOnce = 8
const headsAtOnce = 256

export type SegmentHead = Omit<SegmentRow, 'content'>

/** Epochs in which there are effects of this kind that are not swept away, or may be more. */
export async function livingEpochs(host: EffectsHost, kind: string): Promise<Set<number>> {
  // In this order: one that is over had committed all that it ever would.
  const open = await host.ask('SELECT epoch FROM tidemark_writers WHERE closed = 0', [])
  const left = await host.ask('SELECT epoch FROM tidemark_segments WHERE kind = ? GROUP BY epoch', [kind])
  return new Set([...open, ...left].map(({ epoch }) => Number(epoch)))
}

/** A few at a time; undefined where one is gone meanwhile, since all lanes have passed it. */
export async function* readContents(
  host: EffectsHost,
  heads: readonly SegmentHead[],
): AsyncGenerator<(SegmentRow | undefined)[], undefined> {
  for (let at = 0; at < heads.length; at += segmentsAtOnce) {
    const some = heads.slice(at, at + segmentsAtOnce)
    const ids = some.map(({ id }) => id)
    const asked = {
      sql: `SELECT id, content FROM tidemark_segments WHERE id IN (${ids.join(', ')})`,
      surrealql: `SELECT id, content FROM ${ids.map((id) => `tidemark_segments:${id}`).join(', ')}`,
    }
    const contents = await host.ask(asked, [])
    const byId = new Map(contents.map((row) => [Number(row['id']), String(row['content'])]))
    yield some.map((head) => {
      const content = byId.get(head.id)
      return content === undefined ? undefined : { ...head, content }
    })
  }
}

/**
 * The first of them, as they are in one snapshot: of each epoch none is missing before one that is there.
 *
 * @param after only what is numbered above
 * @param seen of these epochs, only what is numbered above
 * @param condition in the same snapshot
 */
export async function readHeads(
  host: EffectsHost,
  kind: string,
  after: number,
  seen: ReadonlyMap<Epoch, number> = new Map(),
  condition?: Condition,
): Promise<SegmentHead[]> {
  const parameters = [kind, after, ...(condition?.parameters ?? [])]
  const rows = await host.ask(
    { sql: headsSql(seen, condition), surrealql: headsSurreal(seen, condition) },
    parameters,
  )
  return rows.map((row) => ({
    id: Number(row['id']),
    epoch: Number(row['epoch']) as Epoch,
    end: endOf(row),
    committedAtMs: Number(row['committed_at']),
    writer: writerOf(row),
  }))
}

function headsSql(seen: ReadonlyMap<Epoch, number>, condition: Condition | undefined): string {
  const unseen = [...seen].map(([of, id]) => ` AND (s.epoch <> ${of} OR s.id > ${id})`).join('')
  const also = condition === undefined ? '' : ` AND ${condition.words.sql}`
  return `SELECT s.id, s.epoch, s.last_seq, s.last_n, s.committed_at, w.writer FROM tidemark_segments s
     LEFT JOIN tidemark_writers w ON w.epoch = s.epoch
     WHERE s.kind = ? AND s.id > ?${unseen}${also} ORDER BY s.id LIMIT ${headsAtOnce}`
}

function headsSurreal(seen: ReadonlyMap<Epoch, number>, condition: Condition | undefined): string {
  const unseen = [...seen].map(([of, id]) => ` AND (epoch != ${of} OR id > tidemark_segments:${id})`).join('')
  const also = condition === undefined ? '' : ` AND ${condition.words.surrealql}`
  return `SELECT id, epoch, last_seq, last_n, committed_at, type::record('tidemark_writers', epoch).writer AS writer
     FROM tidemark_segments
     WHERE kind = ? AND id > type::record('tidemark_segments', ?)${unseen}${also} ORDER BY id LIMIT ${headsAtOnce}`
}
