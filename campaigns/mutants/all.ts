import { effectsMutants } from './effects.ts'
import { engineMutants } from './engine.ts'
import { laterMutants } from './later.ts'
import type { Mutant } from './mutant.ts'
import { readMutants } from './reads.ts'
import { storeMutants } from './store.ts'

export const mutants: readonly Mutant[] = [
  ...storeMutants,
  ...engineMutants,
  ...readMutants,
  ...laterMutants,
  ...effectsMutants,
]
