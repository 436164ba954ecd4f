/** Speaks to the process `vectors`. Without it every change is tried again, as with any target that is down. */
import type { Vectors, VectorChange, VectorOutcome } from '../vectors.ts'
import type { Calls, OutcomeMessage } from './messages.ts'

const timeoutMs = 15_000

export function remoteVectors(url: string): Vectors {
  async function call<K extends keyof Calls>(
    name: K,
    request: Calls[K]['request'],
    signal?: AbortSignal,
  ): Promise<Calls[K]['answer']> {
    const limit = AbortSignal.timeout(timeoutMs)
    let response: Response
    try {
      response = await fetch(`${url}/${name}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(request),
        signal: signal === undefined ? limit : AbortSignal.any([signal, limit]),
      })
    } catch (cause) {
      throw new Error(`the vector store at ${url} cannot be reached`, { cause })
    }
    if (!response.ok)
      throw new Error(`the vector store at ${url} answers ${response.status}: ${await response.text()}`)
    return (await response.json()) as Calls[K]['answer']
  }

  return {
    embeddingId: (extraction) => extraction,
    deliver: async (changes, signal) => {
      try {
        const { outcomes } = await call('deliver', { changes: changes.map(messageOf) }, signal)
        return changes.map((_, at) => outcomeOf(outcomes[at]))
      } catch (error) {
        signal.throwIfAborted()
        return changes.map(() => ({ kind: 'retry', error, isOverload: true }))
      }
    },
    search: async (vector, project, most) =>
      (await call('search', { vector: Array.from(vector), project, most })).hits,
    list: async (after, most) => {
      const { vectors, next } = await call('list', { most, ...(after !== undefined && { after }) })
      return { vectors, next }
    },
    known: async (ids) => new Set((await call('known', { ids })).ids),
    probe: async () => void (await call('probe', {})),
    close: () => Promise.resolve(),
  }
}

function messageOf({
  effect,
  project,
  vector,
}: VectorChange): Calls['deliver']['request']['changes'][number] {
  return { effect, project, vector: vector === undefined ? null : Array.from(vector) }
}

function outcomeOf(message: OutcomeMessage | undefined): VectorOutcome {
  switch (message?.kind) {
    case undefined:
      return { kind: 'retry', error: new Error('the vector store did not answer for it') }
    case 'delivered':
      return undefined
    case 'retry':
      return { kind: 'retry', error: new Error(message.error), isOverload: message.isOverload }
    case 'dead':
      return { kind: 'dead', error: new Error(message.error) }
  }
}
