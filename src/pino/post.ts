/** One request with lines, and what the server made of it. */
import type { Runtime } from '../contracts/runtime.ts'
import type { PinoServerOptions } from './options.ts'

export interface Answer {
  /** Everything is committed, or kept as a dead letter. */
  readonly isDone: boolean
  /** Lines, from the first, that must not be sent again. */
  readonly taken: number
  readonly retryAfterMs?: number
  /** In words, when it is not done. */
  readonly problem: string
}

/** Never rejects. */
export async function postLines(
  { url, token, requestTimeoutMs }: PinoServerOptions & { readonly requestTimeoutMs: number },
  lines: readonly string[],
  runtime: Runtime,
  giveUp: AbortSignal,
): Promise<Answer> {
  const late = new AbortController()
  const timer = runtime.after(requestTimeoutMs, () =>
    late.abort(new Error(`no answer in ${requestTimeoutMs} ms`)),
  )
  try {
    const response = await fetch(new URL('/v1/logs?ack=committed', url), {
      method: 'POST',
      headers: {
        'content-type': 'application/x-ndjson',
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
      },
      body: `${lines.join('\n')}\n`,
      signal: AbortSignal.any([late.signal, giveUp]),
    })
    const answer = membersOf(await response.text())
    const { detail } = answer
    if (response.ok) return { isDone: true, taken: lines.length, problem: '' }
    const taken = Math.min(lines.length, numberIn(answer, 'lines') ?? 0)
    const retryAfterMs =
      numberIn(answer, 'retryAfterMs') ?? retryAfter(response.headers.get('retry-after'), runtime)
    return {
      isDone: taken === lines.length,
      taken,
      ...(retryAfterMs !== undefined && { retryAfterMs }),
      problem: `${response.status} ${typeof detail === 'string' ? detail : response.statusText}`,
    }
  } catch (error) {
    return { isDone: false, taken: 0, problem: reasonOf(error) }
  } finally {
    timer.cancel()
  }
}

/** In seconds or as a date: https://www.rfc-editor.org/rfc/rfc9110#name-retry-after */
function retryAfter(header: string | null, runtime: Runtime): number | undefined {
  if (header === null) return undefined
  const ms = /^\d+$/.test(header) ? Number(header) * 1_000 : Date.parse(header) - runtime.wallMs()
  return Number.isNaN(ms) ? undefined : Math.max(0, ms)
}

function membersOf(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}

function numberIn(members: Readonly<Record<string, unknown>>, name: string): number | undefined {
  const value = members[name]
  return typeof value === 'number' && value >= 0 ? value : undefined
}

/** fetch says "fetch failed"; its cause says why. */
function reasonOf(error: unknown): string {
  const { message, cause } = error as Error
  return cause instanceof Error ? ('code' in cause && String(cause.code)) || cause.message : message
}
