/** Reads the outbox: the segments of a kind, in the order of their numbers. */
import type { Epoch } from '../contracts/position.ts'
import type { EffectsHost } from './host.ts'
import type { Condition } from './lease.ts'
import { endOf, writerOf, type SegmentRow } from './item.ts'

type Asked = Pick<EffectsHost, 'ask'>

/** Contents read at once: a full segment holds some hundred effects. */
const segmentsAtOnce = 8
const headsAtOnce = 256

/** The first that are found come with what they hold, where the database gives both in one answer. */
export interface SegmentHead extends Omit<SegmentRow, 'content'> {
  readonly content: string | undefined
}

/** Epochs in which there are effects of this kind that are not swept away, or may be more. */
export async function livingEpochs(host: Asked, kind: string): Promise<Set<number>> {
  // In this order: one that is over had committed all that it ever would.
  const open = await host.ask('SELECT epoch FROM tidemark_writers WHERE closed = 0', [])
  const left = await host.ask('SELECT epoch FROM tidemark_segments WHERE kind = ? GROUP BY epoch', [kind])
  return new Set([...open, ...left].map(({ epoch }) => Number(epoch)))
}

/** A few at a time; undefined where one is gone meanwhile, since all lanes have passed it. */
export async function* readContents(
  host: Asked,
  heads: readonly SegmentHead[],
): AsyncGenerator<(SegmentRow | undefined)[], undefined> {
  for (let at = 0; at < heads.length; at += segmentsAtOnce) {
    const some = heads.slice(at, at + segmentsAtOnce)
    const contents = await contentsOf(
      host,
      some.filter(({ content }) => content === undefined),
    )
    yield some.map((head) => {
      const content = head.content ?? contents.get(head.id)
      return content === undefined ? undefined : { ...head, content }
    })
  }
}

async function contentsOf(host: Asked, heads: readonly SegmentHead[]): Promise<ReadonlyMap<number, string>> {
  if (heads.length === 0) return new Map()
  const ids = heads.map(({ id }) => id)
  const asked = {
    sql: `SELECT id, content FROM tidemark_segments WHERE id IN (${ids.map(() => '?').join(', ')})`,
    surrealql: `SELECT id, content FROM ${ids.map(() => "type::record('tidemark_segments', ?)").join(', ')}`,
  }
  const rows = await host.ask(asked, ids)
  return new Map(rows.map((row) => [Number(row['id']), String(row['content'])]))
}

/**
 * The first of them, as they are in one snapshot: of each epoch none is missing before one that is there.
 *
 * @param after only what is numbered above
 * @param seen of these epochs, only what is numbered above
 * @param condition in the same snapshot
 */
export async function readHeads(
  host: Asked,
  kind: string,
  after: number,
  seen: ReadonlyMap<Epoch, number> = new Map(),
  condition?: Condition,
): Promise<SegmentHead[]> {
  const parameters = [kind, after, ...[...seen].flat(), ...(condition?.parameters ?? [])]
  const asked = { sql: headsSql(seen.size, condition), surrealql: headsSurreal(seen.size, condition) }
  return (await host.ask(asked, parameters)).map(headOf)
}

function headOf(row: Record<string, unknown>): SegmentHead {
  return {
    id: Number(row['id']),
    epoch: Number(row['epoch']) as Epoch,
    end: endOf(row),
    committedAtMs: Number(row['committed_at']),
    isDurable: Number(row['durable']) === 1,
    writer: writerOf(row),
    content: typeof row['content'] === 'string' ? row['content'] : undefined,
  }
}

function headsSql(epochsSeen: number, condition: Condition | undefined): string {
  const unseen = ' AND (s.epoch <> ? OR s.id > ?)'.repeat(epochsSeen)
  const also = condition === undefined ? '' : ` AND ${condition.words.sql}`
  return `SELECT h.*, CASE WHEN row_number() OVER (ORDER BY h.id) <= ${segmentsAtOnce}
       THEN (SELECT content FROM tidemark_segments WHERE id = h.id) END AS content
     FROM (SELECT s.id, s.epoch, s.last_seq, s.last_n, s.committed_at, s.durable, w.writer FROM tidemark_segments s
       LEFT JOIN tidemark_writers w ON w.epoch = s.epoch
       WHERE s.kind = ? AND s.id > ?${unseen}${also} ORDER BY s.id LIMIT ${headsAtOnce}) AS h
     ORDER BY h.id`
}

function headsSurreal(epochsSeen: number, condition: Condition | undefined): string {
  const unseen = ` AND (epoch != ? OR id > type::record('tidemark_segments', ?))`.repeat(epochsSeen)
  const also = condition === undefined ? '' : ` AND ${condition.words.surrealql}`
  return `SELECT id, epoch, last_seq, last_n, committed_at, durable, type::record('tidemark_writers', epoch).writer AS writer
     FROM tidemark_segments
     WHERE kind = ? AND id > type::record('tidemark_segments', ?)${unseen}${also} ORDER BY id LIMIT ${headsAtOnce}`
}
