/** Which vault a command is about. */
import type { Embedder } from './embed/embedder.ts'
import { far } from './embed/far.ts'
import { hashing } from './embed/hashing.ts'
import { model } from './embed/model.ts'
import type { StoreKind } from './metadata/metadata.ts'

export interface Place {
  readonly folder: string
  readonly state: string | undefined
  readonly store: StoreKind
  readonly url: string | undefined
  readonly embedder: Embedder
}

export function embedderNamed(name: string): Embedder {
  if (name === 'model') return model()
  if (name === 'hashing') return hashing
  if (name === 'far') return far(hashing, 20)
  throw new Error(`--embedder is model, hashing or far, not "${name}".`)
}
