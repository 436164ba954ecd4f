/** An engine with its overlay, without the public API around them: the overlay also tells which position it has seen. */
import type { WriterName } from '../../src/contracts/position.ts'
import type { RowKey } from '../../src/contracts/processor.ts'
import type { OpenedStore, Store } from '../../src/contracts/store.ts'
import { Deadline } from '../../src/reads/deadline.ts'
import { Overlay, type OverlayRow } from '../../src/reads/overlay.ts'
import { systemRuntime } from '../../src/runtime/system.ts'
import { WriteEngine } from '../../src/writes/engine.ts'
import { leaseOf, parseOptions, type OpenOptions } from '../../src/writes/options.ts'

export interface OverlayEngine extends AsyncDisposable {
  readonly engine: WriteEngine
  readonly overlay: Overlay
  readonly store: OpenedStore
  /** Begins at the call; the answer may be there at once. */
  get(table: string, key: RowKey, timeoutMs?: number): OverlayRow | Promise<OverlayRow>
}

/** @param wrap puts something between the engine and its store */
export async function overlayEngine(
  store: Store,
  options: OpenOptions = {},
  wrap: (store: OpenedStore) => OpenedStore = (opened) => opened,
): Promise<OverlayEngine> {
  const parsed = parseOptions(options)
  const writer = parsed.writer ?? (`writer-${systemRuntime.uniqueId()}` as WriterName)
  let engine: WriteEngine | undefined
  const opened = wrap(
    await store.open(writer, {
      runtime: systemRuntime,
      leaseMs: leaseOf(parsed),
      epochStep: 1,
      newIdentity: { id: systemRuntime.randomHex(8), secret: systemRuntime.randomHex(32) },
      derivations: [],
      onSchemaChange: (schema) => engine?.useSchema(schema),
      onWanted: (seq) => engine?.committer.hurry(seq),
      onEffects: () => undefined,
    }),
  )
  const made = (engine = new WriteEngine(writer, opened, systemRuntime, parsed, () => ''))
  const overlay = new Overlay(made, opened)
  return {
    engine: made,
    overlay,
    store: opened,
    get: (table, key, timeoutMs = 10_000) =>
      overlay.get(table, key, new Deadline(systemRuntime, { timeoutMs, signal: undefined })),
    [Symbol.asyncDispose]: () => made.close(1_000).catch(() => undefined),
  }
}
