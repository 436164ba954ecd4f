/**
 * What the example uses of Tidemark, from the sources that it lies beside. A project of your own has
 * `from 'tidemark'`, `from 'tidemark/sqlite'`, `from 'tidemark/postgres'`, `from 'tidemark/surrealdb'` and `from 'tidemark/sqlite-vec'` here.
 */
export {
  open,
  QueueFullError,
  StaleReadError,
  TidemarkError,
  type Consistency,
  type Effect,
  type EffectDead,
  type EffectOutcome,
  type EffectRetry,
  type Group,
  type HandleOptions,
  type OpenOptions,
  type PendingRow,
  type Position,
  type Processor,
  type QueryOptions,
  type Receipt,
  type Store,
  type Tidemark,
} from '../../src/index.ts'
export { postgres } from '../../src/stores/postgres/index.ts'
export { surrealdb } from '../../src/surrealdb.ts'
export { sqlite } from '../../src/stores/sqlite/index.ts'
export { sqliteVec } from '../../src/targets/sqlite-vec/index.ts'
