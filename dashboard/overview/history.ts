/** The server's samples of the last quarter of an hour, one a second, by column, as charts want them. */

export const COLUMNS = [
  't',
  'rowsPerSecond',
  'queued',
  'pendingAgeMs',
  'batchSize',
  'transactionMs',
  'eventLoopP99Ms',
  'rejected',
  'databaseBytes',
  'walBytes',
  'rssBytes',
] as const
export type Column = (typeof COLUMNS)[number]

export interface HistoryAnswer {
  readonly intervalMs: number
  readonly columns: readonly string[]
  readonly samples: readonly (readonly number[])[]
}

/** A value is missing where the server was not there. */
export type Values = (number | null)[]
export type History<C extends string = Column> = Readonly<Record<C | 't', Values>>

export const EMPTY_HISTORY: History = emptyHistory(COLUMNS)
const KEPT_MS = 15 * 60_000

export function emptyHistory<C extends string>(columns: readonly C[]): History<C> {
  return columnsFrom(columns, () => [])
}

function columnsFrom<C extends string>(
  columns: readonly C[],
  values: (column: C, index: number) => Values,
): History<C> {
  return Object.fromEntries(
    columns.map((column, index) => [column, values(column, index)]),
  ) as unknown as History<C>
}

function columnsOf<C extends string>(history: History<C>): C[] {
  return Object.keys(history) as C[]
}

export function lastTime(history: Pick<History, 't'>): number | undefined {
  return history.t.at(-1) ?? undefined
}

/** The history with newer samples behind it and older than a quarter of an hour gone. */
export function appendSamples<C extends string>(history: History<C>, answer: HistoryAnswer): History<C> {
  const columns = columnsOf(history)
  const places = columns.map((column) => answer.columns.indexOf(column))
  const timeAt = answer.columns.indexOf('t')
  const before = lastTime(history) ?? -Infinity
  const added: Values[] = []
  let previous = before
  for (const sample of answer.samples) {
    const t = sample[timeAt]
    if (t === undefined || t <= previous) continue
    // A hole is drawn as one: a line across it would claim what nobody measured.
    if (t - previous > answer.intervalMs * 3 && previous > -Infinity) {
      const gapMs = previous + answer.intervalMs
      added.push(columns.map((column) => (column === 't' ? gapMs : null)))
    }
    added.push(places.map((place) => sample[place] ?? null))
    previous = t
  }
  if (added.length === 0) return history
  const oldest = previous - KEPT_MS
  const first = history.t.findIndex((t) => t !== null && t >= oldest)
  const kept = first === -1 ? history.t.length : first
  return columnsFrom(columns, (column, at) => [
    ...history[column].slice(kept),
    ...added.map((sample) => sample[at] ?? null),
  ])
}

/** The part of the history that the window shows, which ends with the newest sample. */
export function windowOf<C extends string>(history: History<C>, minutes: number): History<C> {
  const end = lastTime(history)
  if (end === undefined) return history
  const first = history.t.findIndex((t) => t !== null && t >= end - minutes * 60_000)
  return columnsFrom(columnsOf(history), (column) => history[column].slice(first))
}

export interface Summary {
  readonly now: number
  readonly least: number
  readonly most: number
}

export function summarise(values: Values): Summary | undefined {
  const known = values.filter((value) => value !== null)
  const now = known.at(-1)
  if (now === undefined) return undefined
  return { now, least: Math.min(...known), most: Math.max(...known) }
}
