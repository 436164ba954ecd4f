/** A write engine on a scripted store and a fake runtime. */
import type { WriterName } from '../../src/contracts/position.ts'
import { WriteEngine } from '../../src/writes/engine.ts'
import type { EngineEvents } from '../../src/writes/events.ts'
import { parseOptions, type OpenOptions } from '../../src/writes/options.ts'
import type { Receipt } from '../../src/writes/receipt.ts'
import { FakeRuntime } from './fake-runtime.ts'
import { ScriptedStore } from './scripted-store.ts'

export interface ScriptedEngine {
  readonly runtime: FakeRuntime
  readonly store: ScriptedStore
  readonly engine: WriteEngine
  readonly alerts: EngineEvents['alert'][]
  readonly retries: EngineEvents['retry'][]
  /** Accepts one insert for each id, and asks for its outcome, so that somebody waits. */
  insert(...ids: number[]): Receipt[]
  /** How each write ended so far: `pending`, `committed`, `rejected`, or the code and outcome of an abandoned one. */
  endings(receipts: readonly Receipt[]): Promise<string[]>
}

export function scriptedEngine(options?: OpenOptions): ScriptedEngine {
  const runtime = new FakeRuntime()
  const store = new ScriptedStore()
  const engine = new WriteEngine(
    'w' as WriterName,
    store,
    runtime,
    parseOptions(options),
    ({ seq }) => `bookmark ${seq}`,
  )
  const alerts: EngineEvents['alert'][] = []
  const retries: EngineEvents['retry'][] = []
  engine.events.on('alert', (alert) => alerts.push(alert))
  engine.events.on('retry', (retry) => retries.push(retry))
  return {
    runtime,
    store,
    engine,
    alerts,
    retries,
    insert: (...ids) =>
      ids.map((id) => {
        const receipt = engine.operations.insert('t', { id })
        void receipt.outcome()
        return receipt
      }),
    endings: (receipts) => Promise.all(receipts.map(endingOf)),
  }
}

async function endingOf(receipt: Receipt): Promise<string> {
  if (receipt.state === 'pending') return 'pending'
  const outcome = await receipt.outcome()
  return outcome.kind === 'abandoned' ? `${outcome.error.code} ${outcome.error.outcome}` : outcome.kind
}
