/** Counts what goes wrong with effects by itself: it follows from what was planned, and is what this world is for. */
import type { FaultKind } from '../faults.ts'
import type { EngineId } from '../history.ts'
import type { EffectNumber, EffectsContents, EffectsEvent, EventOf, WrittenEffect } from './history.ts'

const manyLanes = 4

export function countEffectFaults(events: readonly EffectsEvent[], counts: Map<FaultKind, number>): void {
  const counting = new Counting(counts)
  for (const event of events) counting.see(event)
  counting.end()
}

interface Engine {
  readonly process: number
  readonly epoch: number
  hasCalled: boolean
}

class Counting {
  readonly #counts: Map<FaultKind, number>
  readonly #engines = new Map<EngineId, Engine>()
  readonly #calls = new Map<number, EventOf<'call'>>()
  readonly #written = new Map<EffectNumber, WrittenEffect>()
  readonly #delivered = new Map<EffectNumber, EngineId>()
  readonly #acked = new Set<EffectNumber>()
  readonly #called = new Set<EffectNumber>()
  #lanes: EffectsContents['lanes'] = []

  constructor(counts: Map<FaultKind, number>) {
    this.#counts = counts
  }

  see(event: EffectsEvent): void {
    switch (event.kind) {
      case 'opened':
        return void this.#engines.set(event.engine, { ...event, hasCalled: false })
      case 'written':
        for (const { isBad, effects } of event.operations)
          if (!isBad) for (const effect of effects) this.#written.set(effect.number, effect)
        return
      case 'call':
        return this.#call(event)
      case 'answered':
        return this.#answered(event)
      case 'delivered':
        return this.#deliver(event)
      case 'died':
        for (const [id, engine] of this.#engines) if (engine.process === event.process) this.#die(id, engine)
        return
      case 'committed':
        return this.#commit(event.contents)
      case 'redriven':
        if (event.ids.length > 0) this.#add('effect-redriven')
        return
      default:
    }
  }

  /** Those that were never given to a handler, and a later one of their key was acked. */
  end(): void {
    for (const { number, key, planned } of this.#written.values()) {
      if (!planned.isLatestOnly || this.#called.has(number)) continue
      const later = [...this.#acked].some(
        (other) => other > number && this.#written.get(other)?.key === key && key !== undefined,
      )
      if (later) this.#add('superseded')
    }
  }

  #add(kind: FaultKind): void {
    this.#counts.set(kind, (this.#counts.get(kind) ?? 0) + 1)
  }

  #call(event: EventOf<'call'>): void {
    this.#calls.set(event.call, event)
    const engine = this.#engines.get(event.engine)
    if (engine) engine.hasCalled = true
    for (const { number } of event.effects) this.#called.add(number)
  }

  #answered({ call, outcomes }: EventOf<'answered'>): void {
    if (outcomes === undefined) return this.#add('handler-failed')
    this.#calls.get(call)?.effects.forEach(({ number }, at) => {
      const isRefused = this.#written.get(number)?.planned.ailment.startsWith('ack-refused') === true
      if (isRefused && outcomes[at] === 'delivered') this.#add('ack-refused')
    })
  }

  #deliver({ call, effect: { number } }: EventOf<'delivered'>): void {
    const by = this.#calls.get(call)?.engine ?? 0
    if (this.#delivered.has(number)) this.#add('delivered-again')
    this.#delivered.set(number, by)
    const epoch = this.#engines.get(by)?.epoch
    if (this.#lanes.length > 0 && this.#lanes.every(({ owner }) => owner !== epoch))
      this.#add('zombie-delivered')
  }

  #die(id: EngineId, engine: Engine): void {
    const owned = this.#lanes.filter(({ owner }) => owner === engine.epoch).length
    if (owned >= manyLanes) this.#add('many-lanes-orphaned')
    if (owned > 0 && !engine.hasCalled) this.#add('killed-in-a-claim')
    const isBetween = [...this.#delivered].some(([number, by]) => by === id && !this.#acked.has(number))
    if (isBetween) this.#add('killed-between-delivery-and-ack')
    this.#engines.delete(id)
  }

  #commit({ acks, lanes }: EffectsContents): void {
    for (const [, number, kind] of acks) {
      if (kind === 'dead') this.#add('effect-dead')
      else this.#acked.add(number)
    }
    this.#lanes = lanes
  }
}
