/**
 * Asks the server how it is, once a second, and knows how far what the page shows can be believed.
 *
 *   connecting ──answer──▶ live ──no answer for 3 s──▶ stale ──answer──▶ live
 *       │                   │                            │
 *       └──────no one there─┴────────────────────────────┴──▶ unreachable ──▶ asked again after 1, 2, 4, … 15 s
 *   401 ──▶ unauthorized until a token is given          403 ──▶ forbidden
 */
import { createStore } from '../ui/store.ts'
import { appendSamples, EMPTY_HISTORY, lastTime, type HistoryAnswer } from '../overview/history.ts'
import type { Stats } from './answers.ts'
import { describeError, getJson, RefusedError, token } from './request.ts'

export type Connection =
  | { readonly kind: 'connecting' | 'live' }
  | { readonly kind: 'stale'; readonly sinceMs: number }
  | {
      readonly kind: 'unreachable'
      readonly sinceMs: number
      readonly retryAtMs: number
      readonly reason: string
    }
  | { readonly kind: 'unauthorized'; readonly hasToken: boolean }
  | { readonly kind: 'forbidden'; readonly reason: string }

const INTERVAL_MS = 1_000
/** Nobody looks, so nobody needs to know it at once. */
const HIDDEN_INTERVAL_MS = 10_000
const STALE_MS = 3_000
const GIVE_UP_MS = 8_000
const MAX_BACKOFF_MS = 15_000

export const connection = createStore<Connection>({ kind: 'connecting' })
export const stats = createStore<Stats | undefined>(undefined)
export const history = createStore(EMPTY_HISTORY)
/** As many dead letters as there were with each answer, since the page was opened: the server keeps no history of them. */
export const letterCounts = createStore<readonly number[]>([])
const KEPT_COUNTS = 15 * 60

let failures = 0
let lastAnswerMs = Date.now()
let wait: { timer: number; end: () => void } | undefined

/** Runs as long as the page. */
export async function watchServer(): Promise<void> {
  document.addEventListener('visibilitychange', () => {
    if (!document.hidden) retryNow()
  })
  token.subscribe(retryNow)
  setInterval(() => {
    const isLate = Date.now() - lastAnswerMs > STALE_MS && !document.hidden
    if (connection.get().kind === 'live' && isLate) connection.set({ kind: 'stale', sinceMs: lastAnswerMs })
  }, 500)
  for (;;) {
    const waitMs = await askOnce()
    await new Promise<void>((resolve) => {
      wait = { timer: setTimeout(resolve, waitMs), end: resolve }
    })
  }
}

/** Ends the wait for the next question, because somebody wants to know now. */
export function retryNow(): void {
  if (wait === undefined) return
  clearTimeout(wait.timer)
  wait.end()
}

async function askOnce(): Promise<number> {
  try {
    const signal = AbortSignal.timeout(GIVE_UP_MS)
    const since = lastTime(history.get())
    const [nextStats, samples] = await Promise.all([
      getJson<Stats>('/v1/stats', signal),
      getJson<HistoryAnswer>(`/v1/stats/history${since === undefined ? '' : `?since=${since}`}`, signal),
    ])
    failures = 0
    lastAnswerMs = Date.now()
    stats.set(nextStats)
    letterCounts.set([...letterCounts.get(), nextStats.deadLetters].slice(-KEPT_COUNTS))
    history.set(appendSamples(history.get(), samples))
    if (connection.get().kind !== 'live') connection.set({ kind: 'live' })
    return document.hidden ? HIDDEN_INTERVAL_MS : INTERVAL_MS
  } catch (error) {
    return failed(error)
  }
}

function failed(error: unknown): number {
  const backoffMs = Math.min(MAX_BACKOFF_MS, INTERVAL_MS * 2 ** failures)
  failures += 1
  if (error instanceof RefusedError && error.status === 401) {
    connection.set({ kind: 'unauthorized', hasToken: token.get() !== '' })
    return MAX_BACKOFF_MS
  }
  if (error instanceof RefusedError && error.status === 403) {
    connection.set({ kind: 'forbidden', reason: describeError(error) })
    return MAX_BACKOFF_MS
  }
  const isTimeout = error instanceof DOMException && error.name === 'TimeoutError'
  connection.set({
    kind: 'unreachable',
    sinceMs: lastAnswerMs,
    retryAtMs: Date.now() + backoffMs,
    reason: isTimeout ? 'The server does not answer.' : describeError(error),
  })
  return backoffMs
}

/** Waits, but no longer than until the server is found to be there again. */
export function waitForServer(atMostMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer)
      stopWatching()
      signal.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, atMostMs)
    const stopWatching = connection.subscribe(() => {
      if (connection.get().kind === 'live') end()
    })
    signal.addEventListener('abort', end)
  })
}
