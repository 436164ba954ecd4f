/** Reads the outbox: the segments of a kind, in the order of their numbers. */
import type { Epoch } from '../contracts/position.ts'
import type { EffectsHost } from './host.ts'
import type { Condition } from './lease.ts'
import { endOf, writerOf, type SegmentRow } from './item.ts'

/** Contents read at once: a full segment holds a thousand effects. */
const segmentsAtOnce = 4
const headsAtOnce = 256

export type SegmentHead = Omit<SegmentRow, 'content'>

/** Epochs in which there are effects of this kind that are not swept away, or may be more. */
export async function livingEpochs(host: EffectsHost, kind: string): Promise<Set<number>> {
  // In this order: one that is over had committed all that it ever would.
  const open = await host.ask('SELECT epoch FROM tidemark_writers WHERE closed = 0', [])
  const left = await host.ask('SELECT DISTINCT epoch FROM tidemark_segments WHERE kind = ?', [kind])
  return new Set([...open, ...left].map(({ epoch }) => Number(epoch)))
}

/** A few at a time; undefined where one is gone meanwhile, since all lanes have passed it. */
export async function* readContents(
  host: EffectsHost,
  heads: readonly SegmentHead[],
): AsyncGenerator<(SegmentRow | undefined)[]> {
  for (let at = 0; at < heads.length; at += segmentsAtOnce) {
    const some = heads.slice(at, at + segmentsAtOnce)
    const contents = await host.ask(
      `SELECT id, content FROM tidemark_segments WHERE id IN (${some.map(({ id }) => id).join(', ')})`,
      [],
    )
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
  const unseen = [...seen].map(([of, id]) => ` AND (s.epoch <> ${of} OR s.id > ${id})`).join('')
  const rows = await host.ask(
    `SELECT s.id, s.epoch, s.last_seq, s.last_n, s.committed_at, w.writer FROM tidemark_segments s
     LEFT JOIN tidemark_writers w ON w.epoch = s.epoch
     WHERE s.kind = ? AND s.id > ?${unseen}${condition ? ` AND ${condition.sql}` : ''} ORDER BY s.id LIMIT ${headsAtOnce}`,
    [kind, after, ...(condition?.parameters ?? [])],
  )
  return rows.map((row) => ({
    id: Number(row['id']),
    epoch: Number(row['epoch']) as Epoch,
    end: endOf(row),
    committedAtMs: Number(row['committed_at']),
    writer: writerOf(row),
  }))
}
