/** Which vault a command is about. */
import type { Embedder } from './embed/embedder.ts'
import { far } from './embed/far.ts'
import { hashing } from './embed/hashing.ts'
import { model } from './embed/model.ts'
import { shipped } from './embed/shipped.ts'
import type { StoreKind } from './metadata/metadata.ts'

export interface Place {
  readonly folder: string
  readonly state: string | undefined
  readonly store: StoreKind
  readonly url: string | undefined
  readonly embedder: Embedder
}

/** @param threads of a model; default: one a core */
export function embedderNamed(name: string, threads?: number): Embedder {
  if (name === 'model') return model(threads === undefined ? {} : { threads })
  if (name === 'shipped') return shipped()
  if (name === 'hashing') return hashing
  if (name === 'far') return far(hashing, 20)
  throw new Error(`--embedder is model, shipped, hashing or far, not "${name}".`)
}
