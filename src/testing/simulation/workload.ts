/**
 * Makes programs from seeds. Each seed uses a part of everything only, so that what is rare together meets often: a
 * history of nothing but transactions and kills, one of full queues and lost replies.
 */
import type { Consistency, OpenOptions } from '../../index.ts'
import { plannedKinds, type PlannedFault, type PlannedKind, type Site } from './faults.ts'
import type { Action, Opening, Part, Program, Step, Write } from './program.ts'
import { Random } from './random.ts'

type Weights<K extends string> = Partial<Record<K, number>>
type Call = 'write' | 'read' | 'get' | 'flush' | 'catch-up' | 'move' | 'redrive'

const keys = ['a', 'b', 'c', 'd', 'e', 'f']
const levels: readonly Consistency[] = ['eventual', 'readAfterWrite', 'strong']

/** How often a site is come by, so that a fault planned there is likely to happen. */
const reach: Readonly<Record<Site, number>> = {
  commit: 12,
  begin: 14,
  statement: 60,
  end: 14,
  recover: 3,
  read: 15,
}

/** Weights of which about half are left out, but never `always`. */
function some<K extends string>(
  random: Random,
  weights: Record<K, number>,
  always: readonly K[],
): Weights<K> {
  const kept = (Object.keys(weights) as K[]).filter((name) => always.includes(name) || random.chance(0.55))
  return Object.fromEntries(kept.map((name) => [name, weights[name]])) as Weights<K>
}

export function programOf(seed: number): Program {
  return new Generator(seed).program()
}

class Generator {
  readonly #seed: number
  readonly #random: Random
  readonly #processes: number
  readonly #hasLinks: boolean
  readonly #calls: Weights<Call>
  readonly #writes: Weights<Write['kind']>
  readonly #parts: Weights<Part['kind']>
  readonly #badShare: number
  readonly #sharesNames: boolean
  readonly #pauses: Weights<'none' | 'short' | 'long'>
  readonly #awaitShare: number
  readonly #burstShare: number
  #n = 0

  constructor(seed: number) {
    this.#seed = seed
    const random = (this.#random = new Random(seed))
    this.#processes = random.pick([1, 1, 2, 2, 3])
    this.#hasLinks = random.chance(0.15)
    this.#calls = some<Call>(
      random,
      { write: 55, read: 14, get: 14, flush: 3, 'catch-up': 3, move: 4, redrive: 3 },
      ['write', 'read'],
    )
    this.#parts = some<Part['kind']>(
      random,
      { append: 6, insert: 4, upsert: 5, update: 4, delete: 3, add: 1, link: this.#hasLinks ? 3 : 0 },
      ['append', 'upsert'],
    )
    this.#writes = { ...this.#parts, ...some(random, { group: 4, load: 2, transaction: 1 }, []) }
    this.#badShare = random.chance(0.5) ? 0.12 : 0
    this.#sharesNames = random.chance(0.4)
    this.#pauses = random.pick([
      { none: 6, short: 3 },
      { none: 2, short: 6, long: 1 },
      { none: 3, long: 2 },
    ])
    this.#awaitShare = random.pick([0, 0.2, 0.8])
    this.#burstShare = random.pick([0, 0, 0.04])
  }

  program(): Program {
    const random = this.#random
    const steps: Step[] = []
    for (let process = 0; process < this.#processes; process++)
      steps.push({ afterMs: 0, ...this.#open(process) })
    // The first opens before anything is asked of it.
    const calls = 48 + random.below(12)
    for (let call = 0; call < calls; call++) {
      const afterMs = call === 0 ? 6 : this.#pause()
      const process = random.below(this.#processes)
      if (random.chance(this.#burstShare)) steps.push(...this.#burst(afterMs, process))
      else steps.push({ afterMs, ...this.#call(process) })
    }
    this.#harm(steps)
    return {
      seed: this.#seed,
      hasLinks: this.#hasLinks,
      processes: this.#processes,
      reopenings: Array.from({ length: this.#processes }, (_, process) => this.#open(process)),
      steps,
      faults: this.#faults(),
    }
  }

  /** Writes of one kind in one tick: enough of them for statements of many rows. */
  #burst(afterMs: number, process: number): Step[] {
    const random = this.#random
    const kind = random.pick(['append', 'upsert', 'insert'] as const)
    return Array.from({ length: 8 + random.below(6) }, (_, index) => ({
      afterMs: index === 0 ? afterMs : 0,
      kind: 'write',
      process,
      write: this.#part(kind),
      session: undefined,
      awaits: false,
      worksMs: undefined,
    }))
  }

  #pause(): number {
    switch (this.#random.weighted(this.#pauses)) {
      case 'none':
        return 0
      case 'short':
        return this.#random.between(0, 2)
      case 'long':
        return this.#random.between(2, 25)
    }
  }

  #open(process: number): Opening {
    const random = this.#random
    const maxOperations = random.pick([6, 20, 200])
    const options: OpenOptions = {
      queue: { maxOperations, whenFull: random.chance(0.3) ? 'wait' : 'reject' },
      batch: {
        maxOperations: random.pick([1, 3, 8, 100]),
        lingerMs: random.pick([0, 1, 5, 20]),
        ...(random.chance(0.1) && { minIntervalMs: 3 }),
      },
      ...(random.chance(0.07) && { retry: { giveUpAfterMs: 25 } }),
    }
    const writer = this.#sharesNames ? random.pick(['w', 'x']) : `w${process}`
    return { kind: 'open', process, writer, options, subscribes: random.chance(0.3) }
  }

  #call(process: number): Action {
    const random = this.#random
    // Wherever it was before: a session is moved by `move`, and comes back when it is used at home.
    const session = random.chance(0.35) ? sessionOf(process) : undefined
    const kind = random.weighted(this.#calls)
    switch (kind) {
      case 'write': {
        const write = this.#write()
        const worksMs = random.chance(0.15) && 'key' in write ? random.between(0, 15) : undefined
        return { kind, process, write, session, awaits: random.chance(this.#awaitShare), worksMs }
      }
      case 'read': {
        const level = random.pick(levels)
        return {
          kind,
          process,
          level,
          session,
          after: level !== 'eventual' && random.chance(0.4) ? [this.#source()] : [],
          keys: random.chance(0.3) ? [random.pick(keys)] : [],
          timeoutMs: random.pick([2, 20, 100]),
          tells: random.chance(0.7),
        }
      }
      case 'get':
        return { kind, process, session, key: random.pick(keys), timeoutMs: random.pick([2, 100]) }
      case 'flush':
        return { kind, process, durable: random.chance(0.5) }
      case 'catch-up':
      case 'move':
        return { kind, process, session: sessionOf(random.below(this.#processes)) }
      case 'redrive':
        return { kind, process }
    }
  }

  #source(): string | number {
    const random = this.#random
    const process = random.below(this.#processes)
    return random.chance(0.5) ? sessionOf(process) : process
  }

  #write(): Write {
    const random = this.#random
    const kind = random.weighted(this.#writes)
    switch (kind) {
      case 'group':
        return { kind, parts: Array.from({ length: 1 + random.below(4) }, () => this.#part()) }
      case 'load':
        return {
          kind,
          bad: Array.from({ length: random.below(random.chance(0.3) ? 14 : 5) }, () =>
            random.chance(this.#badShare),
          ),
          letters: random.chance(0.2) ? 1 : 0,
        }
      case 'transaction':
        return {
          kind,
          parts: Array.from({ length: random.below(4) }, () => withoutGuard(this.#part())),
          onRefusal: random.pick(['throw', 'go-on']),
          ending: random.weighted({ return: 8, throw: 2, hang: 1 }),
        }
      default:
        return this.#part(kind)
    }
  }

  #part(kind: Part['kind'] = this.#random.weighted(this.#parts)): Part {
    const random = this.#random
    const isBad = random.chance(this.#badShare)
    const key = random.pick(keys)
    // Numbers that no other write has, small enough that additions keep them apart.
    const n = isBad ? -1 : (this.#n += 1_000)
    const expect = random.chance(0.4) ? 1 : undefined
    switch (kind) {
      case 'append':
        return { kind, isBad }
      case 'insert':
      case 'upsert':
        return { kind, key, n }
      case 'update':
        return { kind, key, n, expect, was: random.chance(0.2) ? 1_000 * random.below(20) : undefined }
      case 'delete':
        return { kind, key, expect }
      case 'add':
        return {
          kind,
          // So much that a cell below the limit would fall below zero.
          n: random.chance(0.4) ? -1_000_000 : 1,
          below: 1_000 * random.below(40),
          orRollback: random.chance(0.5),
        }
      case 'link':
        return { kind, key }
    }
  }

  /** What is done to the processes and to the machine, between the calls. */
  #harm(steps: Step[]): void {
    const random = this.#random
    const process = (): number => random.below(this.#processes)
    const harms: (() => readonly Action[])[] = [
      () => {
        const killed = process()
        return [{ kind: 'kill', process: killed }, this.#open(killed)]
      },
      () => {
        const closed = process()
        const timeoutMs = random.pick([5, 1_000, 30_000])
        return [{ kind: 'close', process: closed, timeoutMs }, this.#open(closed)]
      },
      () => [{ kind: 'stop', process: process(), forMs: random.between(1, 60) }],
      () => [{ kind: 'jump-clock', process: process(), byMs: random.pick([-86_400_000, 3_600_000]) }],
      () => [
        { kind: 'lose-power' },
        ...Array.from({ length: this.#processes }, (_, each) => this.#open(each)),
      ],
    ]
    for (let count = 1 + random.below(2); count > 0; count--) {
      this.#insert(steps, random.weighted({ a: 4, b: 4, c: 3, d: 1, e: 1 }).charCodeAt(0) - 97, harms)
    }
    if (random.chance(0.12)) {
      const at = this.#between(steps, 0)
      steps.splice(at, 0, { afterMs: 0, kind: 'back-up' })
      steps.splice(this.#between(steps, at + 1), 0, { afterMs: 0, kind: 'restore' })
    }
  }

  #insert(steps: Step[], which: number, harms: (() => readonly Action[])[]): void {
    const actions = harms[which]?.() ?? []
    let at = this.#between(steps, 0)
    for (const action of actions) {
      steps.splice(at, 0, { afterMs: this.#random.between(0, 3), ...action })
      at += 1 + this.#random.below(3)
    }
  }

  /** Not before the first call, or `least`. */
  #between(steps: readonly Step[], least: number): number {
    const first = Math.max(this.#processes + 1, least)
    return first + this.#random.below(Math.max(1, steps.length - first))
  }

  #faults(): PlannedFault[] {
    const random = this.#random
    const sites = Object.keys(plannedKinds) as Site[]
    return Array.from({ length: 1 + random.below(5) }, (_, index) => {
      // One early enough to happen.
      if (index === 0)
        return { site: 'commit', nth: 1 + random.below(3), kind: random.pick(plannedKinds.commit) }
      const site = random.weighted({ commit: 8, begin: 2, statement: 3, end: 4, recover: 2, read: 2 })
      const kinds: readonly PlannedKind[] = plannedKinds[sites.find((name) => name === site) as Site]
      return { site, nth: 1 + random.below(reach[site]), kind: random.pick(kinds) }
    })
  }
}

function sessionOf(process: number): string {
  return `s${process}`
}

/** Interactive code has none. */
function withoutGuard(part: Part): Part {
  return 'expect' in part ? { ...part, expect: undefined } : part
}
