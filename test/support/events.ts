import type { EngineEvents } from '../../src/index.ts'
import type { AnyTidemark } from './ledger.ts'

/** Resolves with the engine's next event of this name that the condition holds for. */
export function next<E extends keyof EngineEvents>(
  db: AnyTidemark,
  name: E,
  holds: (event: EngineEvents[E]) => boolean = () => true,
): Promise<EngineEvents[E]> {
  return new Promise((resolve) => {
    const off = db.on(name, (event) => {
      if (!holds(event)) return
      off()
      resolve(event)
    })
  })
}

/** Collects the engine's events of this name. */
export function collect<E extends keyof EngineEvents>(db: AnyTidemark, name: E): EngineEvents[E][] {
  const events: EngineEvents[E][] = []
  db.on(name, (event) => void events.push(event))
  return events
}
