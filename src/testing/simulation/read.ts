/** Reads in an engine's process, and writes down what they showed. */
import { CompiledQuery } from 'kysely'
import type { Actor } from './actor.ts'
import type { Mark, Rows } from './history.ts'
import type { ActionOf } from './program.ts'
import { everything, type Lane } from './write.ts'

/** A bookmark, and the number of the event that took it. */
export interface Bookmark {
  readonly id: number
  readonly text: string
}

export function read(actor: Actor, lane: Lane, action: ActionOf<'read'>, after: readonly Bookmark[]): void {
  const { engine, recorder, index } = actor
  const { level, session, keys, timeoutMs, tells } = action
  const query = CompiledQuery.raw(everything)
  recorder.call(
    index,
    `${level} read`,
    async (call) => {
      const taken = after.map(({ id }) => id)
      recorder.add({ kind: 'read', call, engine, level, session, after: taken, keys, timeoutMs })
      const options = {
        consistency: level,
        timeoutMs,
        ...(after.length > 0 && level !== 'eventual' && { after: after.map(({ text }) => text) }),
        keys: keys.map((key): [string, { key: string }] => ['cells', { key }]),
      }
      if (!tells) {
        const { rows } = await lane.read(options).executeQuery(query)
        return { rows, seen: undefined, waitedMs: undefined }
      }
      const { rows, seen, waitedMs } = await lane.query(query, options)
      return { rows, seen: seen.map(({ epoch, seq }): Mark => ({ epoch, seq })), waitedMs }
    },
    (call, ending, found) => {
      const [row] = (found?.rows ?? []) as Record<string, string>[]
      recorder.add({
        kind: 'read-ended',
        call,
        ending,
        rows: row && parse(row),
        seen: found?.seen,
        waitedMs: found?.waitedMs,
      })
    },
  )
}

export function get(actor: Actor, lane: Lane, { key, session, timeoutMs }: ActionOf<'get'>): void {
  const { engine, recorder, index } = actor
  recorder.call(
    index,
    `get ${key}`,
    (call) => {
      const counted = actor.isOver ? undefined : (lane.pending('cells', { key })?.operations ?? 0)
      recorder.add({ kind: 'get', call, engine, key, session, timeoutMs, counted })
      return lane.get('cells', { key }, { timeoutMs })
    },
    (call, ending, found) =>
      recorder.add({
        kind: 'get-ended',
        call,
        ending,
        n: found?.row?.n,
        pending: found?.pending ?? false,
      }),
  )
}

function parse({ cells = '{}', results = '{}', log = '[]' }: Record<string, string>): Rows {
  return {
    cells: JSON.parse(cells) as Rows['cells'],
    results: JSON.parse(results) as Rows['results'],
    log: JSON.parse(log) as Rows['log'],
  }
}
