/**
 * Follows new log entries: a stream that is opened again from the last entry seen whenever it ends.
 *
 * Keeps: nothing is missed between two streams, since the server goes on behind the id it is given.
 */
import type { RawEntry } from './answers.ts'
import { waitForServer } from './connection.ts'
import { RefusedError, send } from './request.ts'
import { readEvents } from './server-sent-events.ts'

/** Twice the server's heartbeat and a little: no byte for so long, and the line is dead. */
const SILENCE_MS = 40_000
const MAX_BACKOFF_MS = 10_000

export type TailState = 'connecting' | 'open' | 'broken'

export interface TailOptions {
  readonly parameters: URLSearchParams
  readonly afterId: number | undefined
  readonly onEntries: (entries: readonly RawEntry[]) => void
  readonly onState: (state: TailState) => void
  readonly signal: AbortSignal
}

export async function followTail(options: TailOptions): Promise<void> {
  const { signal, onState } = options
  let afterId = options.afterId
  let failures = 0
  const onEntries = (entries: readonly RawEntry[]): void => {
    failures = 0
    afterId = entries.at(-1)?.id ?? afterId
    options.onEntries(entries)
  }
  const isStopped = (): boolean => signal.aborted
  while (!isStopped()) {
    onState(failures === 0 ? 'connecting' : 'broken')
    try {
      await readStream({ ...options, afterId, onEntries })
      failures = Math.max(1, failures)
    } catch (error) {
      if (isStopped()) return
      if (error instanceof RefusedError && error.status < 500 && error.status !== 429) throw error
      failures += 1
    }
    if (isStopped()) return
    onState('broken')
    await waitForServer(Math.min(MAX_BACKOFF_MS, 250 * 2 ** failures), signal)
  }
}

async function readStream(options: TailOptions): Promise<void> {
  const { signal, onState, onEntries } = options
  const parameters = new URLSearchParams(options.parameters)
  if (options.afterId !== undefined) parameters.set('after', String(options.afterId))
  const silence = new AbortController()
  let timer = 0
  const onBytes = (): void => {
    clearTimeout(timer)
    timer = setTimeout(() => silence.abort(), SILENCE_MS)
  }
  try {
    onBytes()
    const response = await send(`/v1/logs/tail?${parameters}`, {
      headers: { accept: 'text/event-stream' },
      signal: AbortSignal.any([signal, silence.signal]),
    })
    if (response.body === null) return
    onState('open')
    for await (const events of readEvents(response.body, onBytes)) {
      const entries = events.flatMap(({ event, id, data }) =>
        event === 'entry' && id !== undefined ? [{ id: Number(id), json: data }] : [],
      )
      if (entries.length > 0) onEntries(entries)
      if (events.some(({ event }) => event === 'end')) return
    }
  } finally {
    clearTimeout(timer)
  }
}
