/**
 * The logs that pass a filter: a page of what is stored, then what comes, newest first.
 *
 * While the list is held (paused, scrolled, or an entry is being read) nothing moves; what comes is counted.
 * Whatever the rate, the list changes at most five times a second, within an animation frame.
 */
import type { RawEntry, SearchPage, Stats } from '../api/answers.ts'
import { waitForServer } from '../api/connection.ts'
import { describeError, getJson, RefusedError } from '../api/request.ts'
import { followTail, type TailState } from '../api/tail.ts'
import { filterParameters, type Filter } from '../ui/route.ts'
import { createStore } from '../ui/store.ts'
import { toRow, Waiting, withNewer, withOlder, type Row } from './rows.ts'

const PAGE_SIZE = 100
const REDRAW_MS = 200
/** A page of entries that failed is asked for again. */
const RETRY_MS = 5_000

export interface LogsState {
  readonly phase: 'loading' | 'ready' | 'failed'
  readonly error: string | undefined
  readonly rows: readonly Row[]
  /** Where older entries go on; without it there are none. */
  readonly next: string | undefined
  readonly isLoadingOlder: boolean
  readonly unindexed: number
  readonly waiting: number
  readonly tail: TailState
  /** Newer rows made room for older ones. */
  readonly hasLeftNewest: boolean
}

const LOADING: LogsState = {
  phase: 'loading',
  error: undefined,
  rows: [],
  next: undefined,
  isLoadingOlder: false,
  unindexed: 0,
  waiting: 0,
  tail: 'connecting',
  hasLeftNewest: false,
}

export const logs = createStore<LogsState>(LOADING)

const waiting = new Waiting()
let parameters = new URLSearchParams()
let stopped = new AbortController()
let newestId = 0
let isHeld = false
let drawnAtMs = 0
let isDrawing = false

/** Shows what passes the filter from now on, until it is called again or `hideLogs` is. */
export async function showLogs(filter: Filter): Promise<void> {
  hideLogs()
  stopped = new AbortController()
  const { signal } = stopped
  parameters = filterParameters(filter)
  waiting.clear()
  logs.set({ ...LOADING, rows: logs.get().rows })
  while (!signal.aborted) {
    try {
      const afterId = await loadFirstPage(signal)
      const onState = (tail: TailState): void => change({ tail })
      await followTail({ parameters, afterId, onEntries: receive, onState, signal })
      return
    } catch (error) {
      if (signal.aborted) return
      const isRefused = error instanceof RefusedError && error.status < 500
      change({ phase: 'failed', error: describeError(error), rows: [] })
      if (isRefused && error.status !== 401) return
      await waitForServer(RETRY_MS, signal)
    }
  }
}

export function hideLogs(): void {
  stopped.abort()
}

/** Nothing moves while it is held. */
export function hold(shouldHold: boolean): void {
  if (shouldHold === isHeld) return
  isHeld = shouldHold
  scheduleDraw()
}

/** @returns the id behind which everything is still to come */
async function loadFirstPage(signal: AbortSignal): Promise<number> {
  // Asked before the search: what is stored in between comes by the tail, and nothing falls between the two.
  const { logs: state } = await getJson<Stats>('/v1/stats', signal)
  const page = await search(signal)
  newestId = page.entries[0]?.id ?? 0
  change({
    phase: 'ready',
    error: undefined,
    rows: page.entries.map(toRow),
    next: page.next ?? undefined,
    unindexed: page.unindexed,
    hasLeftNewest: false,
  })
  // Rows that the index has not reached were not searched: the tail reads them again.
  return newestId > 0 ? newestId : Math.max(0, (state?.newestId ?? 0) - page.unindexed)
}

export async function loadOlder(): Promise<void> {
  const { next, isLoadingOlder, rows } = logs.get()
  if (next === undefined || isLoadingOlder) return
  const { signal } = stopped
  change({ isLoadingOlder: true })
  try {
    const page = await search(signal, next)
    const all = withOlder(rows, page.entries.map(toRow))
    const hasLeftNewest = logs.get().hasLeftNewest || all[0] !== rows[0]
    change({ rows: all, next: page.next ?? undefined, isLoadingOlder: false, hasLeftNewest })
  } catch {
    if (!signal.aborted) change({ isLoadingOlder: false })
  }
}

function search(signal: AbortSignal, before?: string): Promise<SearchPage> {
  const query = new URLSearchParams(parameters)
  query.set('limit', String(PAGE_SIZE))
  if (before !== undefined) query.set('before', before)
  return getJson<SearchPage>(`/v1/logs/search?${query}`, signal)
}

function receive(entries: readonly RawEntry[]): void {
  const fresh = entries.filter(({ id }) => id > newestId)
  newestId = Math.max(newestId, fresh.at(-1)?.id ?? 0)
  waiting.add(fresh)
  if (fresh.length > 0) scheduleDraw()
}

function scheduleDraw(): void {
  if (isDrawing) return
  isDrawing = true
  const { signal } = stopped
  setTimeout(
    () =>
      requestAnimationFrame(() => {
        isDrawing = false
        drawnAtMs = performance.now()
        if (!signal.aborted) draw()
        else if (waiting.count > 0) scheduleDraw()
      }),
    Math.max(0, drawnAtMs + REDRAW_MS - performance.now()),
  )
}

function draw(): void {
  const { rows, hasLeftNewest, next } = logs.get()
  if (isHeld || hasLeftNewest) return change({ waiting: waiting.count })
  const all = withNewer(rows, waiting.take())
  change({ rows: all, waiting: 0, next: isCut(rows, all) ? cursorBelow(all) : next })
}

function isCut(before: readonly Row[], after: readonly Row[]): boolean {
  return before.length > 0 && before.at(-1) !== after.at(-1)
}

/** A page begins below the id that is its cursor. */
function cursorBelow(rows: readonly Row[]): string | undefined {
  const last = rows.at(-1)
  if (last === undefined) return undefined
  return String(last.kind === 'gap' ? last.id + 1 : last.id)
}

function change(part: Partial<LogsState>): void {
  logs.set({ ...logs.get(), ...part })
}
