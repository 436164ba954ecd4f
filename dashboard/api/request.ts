/** Requests to the server this page came from, with the token that a person gave, if one was needed. */
import { recall, remember } from '../ui/remembered.ts'
import { createStore } from '../ui/store.ts'

/** The server answered, and it was not what was asked for. */
export class RefusedError extends Error {
  readonly status: number
  readonly hint: string | undefined

  constructor(status: number, message: string, hint: string | undefined) {
    super(message)
    this.status = status
    this.hint = hint
  }
}

/** Nobody answered. */
export class UnreachableError extends Error {}

const TOKEN_KEY = 'tidemark.token'
/** Kept as long as the tab is open, and no longer. */
export const token = createStore(recall('sessionStorage', TOKEN_KEY) ?? '')
token.subscribe(() => remember('sessionStorage', TOKEN_KEY, token.get()))

export async function send(path: string, init: RequestInit = {}): Promise<Response> {
  const headers = new Headers(init.headers)
  if (token.get() !== '') headers.set('authorization', `Bearer ${token.get()}`)
  let response: Response
  try {
    response = await fetch(path, { ...init, headers, cache: 'no-store' })
  } catch (error) {
    if (init.signal?.aborted === true) throw error
    throw new UnreachableError('The server does not answer.')
  }
  if (!response.ok) throw await refusal(response)
  return response
}

export async function getJson<T>(path: string, signal?: AbortSignal): Promise<T> {
  const response = await send(path, signal === undefined ? {} : { signal })
  return parseJson<T>(response)
}

export async function postJson<T>(path: string, body: unknown): Promise<T> {
  const response = await send(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  return parseJson<T>(response)
}

async function parseJson<T>(response: Response): Promise<T> {
  try {
    // The page trusts the server that it came from.
    return (await response.json()) as T
  } catch {
    throw new UnreachableError('The answer broke off.')
  }
}

/** Errors are problem documents (RFC 9457); something between the page and the server may answer anything. */
async function refusal(response: Response): Promise<RefusedError> {
  const problem = (await response.json().catch(() => ({}))) as Record<string, unknown>
  const text = (name: string): string | undefined => {
    const value = problem[name]
    return typeof value === 'string' ? value : undefined
  }
  const message = text('detail') ?? text('title') ?? `The server answered ${response.status}.`
  return new RefusedError(response.status, message.replace(/^tidemark: /, ''), text('hint'))
}

/** What went wrong, in a sentence for the person before the page. */
export function describeError(error: unknown): string {
  if (error instanceof RefusedError) return [error.message, error.hint].filter(Boolean).join(' ')
  if (error instanceof UnreachableError) return error.message
  return error instanceof Error ? error.message : String(error)
}
