/** A write engine over `memory()`, for tests of what is built on the engine. */
import type { WriterName } from '../../src/contracts/position.ts'
import { systemRuntime } from '../../src/runtime/system.ts'
import { memory } from '../../src/stores/memory/index.ts'
import { WriteEngine } from '../../src/writes/engine.ts'
import { parseOptions, type OpenOptions } from '../../src/writes/options.ts'

export interface MemoryEngine extends AsyncDisposable {
  readonly engine: WriteEngine
  rows(sql: string): Promise<readonly Record<string, unknown>[]>
}

export async function memoryEngine(schema: string, options?: OpenOptions): Promise<MemoryEngine> {
  let engine: WriteEngine | undefined
  const store = await memory({ schema }).open('w' as WriterName, {
    runtime: systemRuntime,
    leaseMs: 30_000,
    epochStep: 1,
    newIdentity: { id: systemRuntime.randomHex(8), secret: systemRuntime.randomHex(32) },
    derivations: [],
    onWanted: () => undefined,
    onEffects: () => undefined,
    onSchemaChange: (changed) => engine?.useSchema(changed),
  })
  const open = (engine = new WriteEngine(
    'w' as WriterName,
    store,
    systemRuntime,
    parseOptions(options),
    String,
  ))
  return {
    engine,
    rows: async (sql) => (await store.query({ sql, parameters: [] })).rows,
    [Symbol.asyncDispose]: () => open.close(1_000).catch(() => undefined),
  }
}
