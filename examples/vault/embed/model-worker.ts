/** A thread with the model: an event loop that embeds answers nobody else meanwhile. */
import { parentPort } from 'node:worker_threads'
import { loadEncoder, maxTokens } from './encoder.ts'

export interface ModelRequest {
  readonly id: number
  readonly texts: readonly string[]
}

export type ModelReply =
  | { readonly id: number; readonly vectors: readonly Float32Array[] }
  | { readonly id: number; readonly problem: string }

/** Tokens are a few characters each, so that the rest of a text need not be divided into them. */
const maxCharacters = 1_000

const loading = loadEncoder()

async function embed(texts: readonly string[]): Promise<readonly Float32Array[]> {
  const encoder = await loading
  return await encoder.encode(
    texts.map((text) => encoder.tokens(text.slice(0, maxCharacters)).slice(0, maxTokens)),
  )
}

async function answer({ id, texts }: ModelRequest): Promise<ModelReply> {
  try {
    return { id, vectors: await embed(texts) }
  } catch (error) {
    return { id, problem: error instanceof Error ? error.message : String(error) }
  }
}

let turn = Promise.resolve()
parentPort?.on('message', (request: ModelRequest) => {
  turn = turn.then(async () => parentPort?.postMessage(await answer(request)))
})
