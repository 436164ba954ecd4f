/** Reads the outbox: the segments of a kind, in the order of their numbers. */
import type { Epoch } from '../contracts/position.ts'
import type { EffectsHost } from './host.ts'
import { endOf, writerOf, type SegmentRow } from './item.ts'

/** Segments read at once: a full one holds a thousand effects. */
export const segmentsAtOnce = 8
const headsAtOnce = 256

export type SegmentHead = Omit<SegmentRow, 'content'>

/** Where to go on. */
export interface Behind {
  /** Number of a segment. */
  readonly after: number
  /** Of these epochs, only what is numbered above. */
  readonly seen?: ReadonlyMap<Epoch, number>
}

/**
 * The first segments numbered above `after`, but for those that are known.
 *
 * @param isKnown whether a segment need not be read
 */
export async function readSegments(
  host: EffectsHost,
  kind: string,
  after: number,
  isKnown: (segment: SegmentHead) => boolean,
): Promise<SegmentRow[]> {
  for (let from = after; ;) {
    const wanted = await findWanted(host, kind, from, isKnown)
    const last = wanted.at(-1)
    if (last === undefined) return []
    const segments = await readContents(host, wanted)
    if (segments.length > 0) return segments
    // All of them are gone meanwhile: that says nothing of those behind them.
    from = last.id
  }
}

async function findWanted(
  host: EffectsHost,
  kind: string,
  after: number,
  isKnown: (segment: SegmentHead) => boolean,
): Promise<SegmentHead[]> {
  const wanted: SegmentHead[] = []
  for (let from = after; wanted.length < segmentsAtOnce;) {
    const heads = await readHeads(host, kind, { after: from })
    wanted.push(...heads.filter((head) => !isKnown(head)))
    const last = heads.at(-1)
    if (last === undefined || heads.length < headsAtOnce) break
    from = last.id
  }
  return wanted.slice(0, segmentsAtOnce)
}

/** Epochs in which there are effects of this kind that are not swept away, or may be more. */
export async function livingEpochs(host: EffectsHost, kind: string): Promise<Set<number>> {
  // In this order: one that is over had committed all that it ever would.
  const open = await host.ask('SELECT epoch FROM tidemark_writers WHERE closed = 0', [])
  const left = await host.ask('SELECT DISTINCT epoch FROM tidemark_segments WHERE kind = ?', [kind])
  return new Set([...open, ...left].map(({ epoch }) => Number(epoch)))
}

/** Without those that are gone meanwhile: they were finished by all lanes, also by this one. */
export async function readContents(host: EffectsHost, heads: readonly SegmentHead[]): Promise<SegmentRow[]> {
  if (heads.length === 0) return []
  const contents = await host.ask(
    `SELECT id, content FROM tidemark_segments WHERE id IN (${heads.map(({ id }) => id).join(', ')})`,
    [],
  )
  const byId = new Map(contents.map((row) => [Number(row['id']), String(row['content'])]))
  return heads.flatMap((head) => {
    const content = byId.get(head.id)
    return content === undefined ? [] : [{ ...head, content }]
  })
}

/** The first of them, as they are in one snapshot: of each epoch none is missing before one that is there. */
export async function readHeads(
  host: EffectsHost,
  kind: string,
  { after, seen = new Map() }: Behind,
): Promise<SegmentHead[]> {
  const unseen = [...seen].map(([of, id]) => ` AND (s.epoch <> ${of} OR s.id > ${id})`).join('')
  const rows = await host.ask(
    `SELECT s.id, s.epoch, s.last_seq, s.last_n, s.committed_at, w.writer FROM tidemark_segments s
     LEFT JOIN tidemark_writers w ON w.epoch = s.epoch
     WHERE s.kind = ? AND s.id > ?${unseen} ORDER BY s.id LIMIT ${headsAtOnce}`,
    [kind, after],
  )
  return rows.map((row) => ({
    id: Number(row['id']),
    epoch: Number(row['epoch']) as Epoch,
    end: endOf(row),
    committedAtMs: Number(row['committed_at']),
    writer: writerOf(row),
  }))
}
