/**
 * What the example uses of Tidemark, from the sources that it lies beside. A project of your own has
 * `from 'tidemark'`, `from 'tidemark/postgres'`, `from 'tidemark/redis'`, … here.
 */
export {
  open,
  QueueFullError,
  StaleReadError,
  TidemarkError,
  type Consistency,
  type Effect,
  type EffectOutcome,
  type EffectRequest,
  type EffectTrouble,
  type EffectsWatch,
  type Group,
  type HandleOptions,
  type Handling,
  type Json,
  type Recovery,
  type Tidemark,
} from '../../src/index.ts'
export { postgres } from '../../src/stores/postgres/index.ts'
export { serve, type RunningServer } from '../../src/server/index.ts'
export { qdrant, qdrantPointId } from '../../src/targets/qdrant/index.ts'
export { redis } from '../../src/targets/redis/index.ts'
export { sqliteVec } from '../../src/targets/sqlite-vec/index.ts'
