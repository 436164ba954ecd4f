/**
 * Server-sent events: what a client follows, pulled from an iterator as fast as the client takes it.
 *
 * Keeps: nothing is buffered here beyond what one write holds. A comment now and then shows a proxy that the
 * connection lives, and shows us a client that is gone. See https://html.spec.whatwg.org/multipage/server-sent-events.html
 */
import type { Runtime } from '../contracts/runtime.ts'

export interface SseEvent {
  readonly event: string
  readonly id?: number
  readonly data: unknown
}

const heartbeatMs = 15_000
const heartbeat = ': still here\n\n'

export interface Following {
  /** Ends when its signal aborts. */
  readonly follow: (signal: AbortSignal) => AsyncIterableIterator<SseEvent>
  /** Aborted when the client hangs up. */
  readonly gone: AbortSignal
  /** Aborted when the server ends. */
  readonly ending: AbortSignal
}

/** The text of the events: a beginning at once, and an `end` event where it is the server that ends it. */
export async function* eventStream(
  { follow, gone, ending }: Following,
  runtime: Runtime,
): AsyncGenerator<string, void, undefined> {
  yield ': hello\nretry: 1000\n\n'
  const stop = new AbortController()
  const events = follow(stop.signal)
  const over = Promise.race([aborted(gone), aborted(ending)])
  let next = events.next()
  try {
    for (;;) {
      const come = await soonest(next, over, runtime)
      if (come === 'beat') yield heartbeat
      else if (come === 'over' || come.done === true) return yield textOf({ event: 'end', data: {} })
      else {
        yield textOf(come.value)
        next = events.next()
      }
    }
  } finally {
    next.catch(() => undefined)
    // Else `return` would wait for the next event, which may never come.
    stop.abort()
    await events.return?.()
  }
}

async function soonest<T>(
  next: Promise<T>,
  over: Promise<'over'>,
  runtime: Runtime,
): Promise<T | 'over' | 'beat'> {
  const beat = Promise.withResolvers<'beat'>()
  const timer = runtime.after(heartbeatMs, () => beat.resolve('beat'), 'background')
  try {
    return await Promise.race([next, over, beat.promise])
  } finally {
    timer.cancel()
  }
}

function aborted(signal: AbortSignal): Promise<'over'> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve('over')
    else signal.addEventListener('abort', () => resolve('over'), { once: true })
  })
}

export function textOf({ event, id, data }: SseEvent): string {
  const idLine = id === undefined ? '' : `id: ${id}\n`
  // JSON has no line ends, so the data is one line.
  return `event: ${event}\n${idLine}data: ${JSON.stringify(data)}\n\n`
}
