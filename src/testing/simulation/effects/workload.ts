/**
 * Makes programs of effects from seeds. Each seed uses a part of everything only. Most last some hundred simulated
 * milliseconds, with short leases and waits; some last hours, with those that a person would choose.
 */
import type { HandleOptions, OpenOptions } from '../../../index.ts'
import { plannedKinds, type PlannedFault, type PlannedKind, type Site } from '../faults.ts'
import { Random } from '../random.ts'
import type {
  Ailment,
  EffectsAction,
  EffectsOpening,
  EffectsProgram,
  EffectsStep,
  EffectsWrite,
  PlannedEffect,
  PlannedRow,
  TargetMode,
} from './program.ts'

type Call = 'write' | 'reached' | 'redrive' | 'pause' | 'rest'

const keys = ['a', 'b', 'c', 'd', 'e', 'f']
const hourMs = 3_600_000
const laterSeeds = 2 ** 31
/** Of the reads that a seed has in which they often lag or fail. */
const lags = 200
const failures = 100

/** How often a site is come by, so that a fault planned there is likely to happen. */
const reach: Readonly<Record<Site, number>> = {
  commit: 60,
  begin: 60,
  statement: 250,
  end: 60,
  recover: 3,
  read: 200,
}

/** What differs between histories of milliseconds and of hours. */
interface Pace {
  readonly pauses: readonly (readonly [leastMs: number, belowMs: number])[]
  readonly delaysMs: readonly number[]
  readonly stopsMs: readonly [number, number]
  readonly jumpsMs: readonly number[]
  readonly troubleMs: readonly [number, number]
  /** How long the target is down once, whatever else happens. */
  readonly outageMs?: number
  readonly handles: HandleOptions<never>
  /** After the retries of what never succeeds, the longest lease, and clocks that are late. */
  readonly patienceMs: number
}

export function effectsProgramOf(seed: number): EffectsProgram {
  return new Generator(seed).program()
}

class Generator {
  readonly #seed: number
  readonly #random: Random
  /** For what was added later: what a seed had before stays as it was. */
  readonly #later: Random
  readonly #processes: number
  readonly #pace: Pace
  readonly #calls: Partial<Record<Call, number>>
  readonly #writes: Partial<Record<EffectsWrite['kind'], number>>
  readonly #ailments: Partial<Record<Ailment, number>>
  readonly #sharesNames: boolean
  readonly #delayShare: number
  readonly #latestShare: number
  readonly #keyless: number

  constructor(seed: number) {
    this.#seed = seed
    const random = (this.#random = new Random(seed))
    this.#later = new Random(seed + laterSeeds)
    this.#processes = random.pick([1, 2, 2, 3])
    this.#pace = random.chance(0.1) ? this.#hours() : this.#moments()
    this.#calls = {
      write: 40,
      reached: 6,
      ...(random.chance(0.4) && { redrive: 3 }),
      ...(random.chance(0.3) && { pause: 2 }),
      ...(random.chance(0.3) && { rest: 2 }),
    }
    this.#writes = { row: 8, cell: 3, enqueue: 3, ...(random.chance(0.6) && { group: 4, load: 3 }) }
    this.#ailments = {
      none: 20,
      ...(random.chance(0.5) && { 'fails-once': 3, 'fails-thrice': 1 }),
      ...(random.chance(0.4) && { poison: 1, hopeless: 1 }),
      ...(random.chance(0.3) && { 'ack-refused-once': 1, 'ack-refused': 1 }),
    }
    this.#sharesNames = random.chance(0.3)
    this.#delayShare = random.pick([0, 0.15])
    this.#latestShare = random.pick([0, 0, 0.5, 0.9])
    this.#keyless = random.pick([0, 0.15])
  }

  program(): EffectsProgram {
    const random = this.#random
    const steps: EffectsStep[] = []
    for (let process = 0; process < this.#processes; process++)
      steps.push({ afterMs: 0, ...this.#open(process) })
    const calls = 36 + random.below(24)
    for (let call = 0; call < calls; call++)
      steps.push({ afterMs: call === 0 ? 8 : this.#pause(), ...this.#call() })
    // What comes after the last call happens too.
    steps.push({ afterMs: this.#pause(), ...this.#call() })
    this.#harm(steps)
    return {
      seed: this.#seed,
      processes: this.#processes,
      reopenings: Array.from({ length: this.#processes }, (_, process) => this.#open(process)),
      last: { ...this.#open(0), writer: 'last' },
      steps,
      faults: this.#faults(),
      lossShare: random.pick([0, 0, 0.03]),
      patienceMs: this.#pace.patienceMs,
    }
  }

  #moments(): Pace {
    const random = this.#random
    const maxAttempts = random.pick([4, 8, 20])
    const retryMaxMs = random.pick([4, 60])
    const leaseMs = random.pick([40, 150])
    return {
      pauses: random.pick([
        [
          [0, 0],
          [0, 2],
        ],
        [
          [0, 3],
          [2, 15],
        ],
        [
          [0, 1],
          [5, 40],
        ],
      ] as const),
      delaysMs: [3, 30],
      stopsMs: [5, 400],
      jumpsMs: [-2_000, 2_000],
      troubleMs: [10, 400],
      handles: {
        maxAttempts,
        retryMaxMs,
        leaseMs,
        retryFirstMs: 2,
        timeoutMs: random.pick([15, 60]),
        pollMs: random.pick([10, 30]),
        batch: random.pick([1, 4, 64]),
        concurrency: random.pick([1, 3, 'adaptive'] as const),
        lanes: random.pick([1, 1, 1, 4, 16]),
      },
      patienceMs: 60_000,
    }
  }

  #hours(): Pace {
    const random = this.#random
    return {
      pauses: [
        [0, 0],
        [0, 60_000],
        [0, 600_000],
      ],
      delaysMs: [60_000, hourMs],
      stopsMs: [1_000, 120_000],
      jumpsMs: [-hourMs, hourMs],
      troubleMs: [30_000, hourMs],
      outageMs: random.between(1, 3) * hourMs,
      handles: {
        maxAttempts: 20,
        retryMaxMs: 60_000,
        pollMs: 10_000,
        batch: random.pick([4, 64]),
        concurrency: random.pick([3, 'adaptive'] as const),
        lanes: random.pick([1, 4]),
      },
      patienceMs: 24 * hourMs,
    }
  }

  #pause(): number {
    const [least, below] = this.#random.pick(this.#pace.pauses)
    return this.#random.between(least, below)
  }

  /** The first always handles. */
  #open(process: number): EffectsOpening {
    const random = this.#random
    const options: OpenOptions = {
      batch: { maxOperations: random.pick([1, 8, 100]), lingerMs: random.pick([0, 1, 5]) },
      queue: { maxOperations: random.pick([40, 1_000]), whenFull: 'wait' },
    }
    return {
      kind: 'open',
      process,
      writer: this.#sharesNames ? random.pick(['w', 'x']) : `w${process}`,
      options,
      handles: process === 0 || random.chance(0.7) ? this.#pace.handles : undefined,
      obeysSignal: random.chance(0.5),
    }
  }

  #call(): EffectsAction {
    const random = this.#random
    const process = random.below(this.#processes)
    const kind = random.weighted(this.#calls)
    switch (kind) {
      case 'write':
        return { kind, process, write: this.#write() }
      case 'reached': {
        const key = random.chance(0.5) ? random.pick(keys) : undefined
        return { kind, process, of: random.below(this.#processes), key, timeoutMs: random.pick([10, 300]) }
      }
      case 'redrive':
        return { kind, process }
      case 'pause':
        return { kind: random.pick(['pause', 'resume', 'resume']), process }
      case 'rest':
        return {
          kind,
          process,
          forMs: random.between(0, 100),
          timeoutMs: random.pick([0, 5, 1_000]),
          isRedriven: this.#later.chance(0.5),
        }
    }
  }

  #write(): EffectsWrite {
    const random = this.#random
    const kind = random.weighted(this.#writes)
    switch (kind) {
      case 'row':
        return { kind, row: this.#row() }
      case 'cell': {
        const effects = this.#effects().map((effect) => ({ ...effect, key: undefined }))
        return { kind, cell: random.pick(keys), effects }
      }
      case 'enqueue':
        return { kind, effects: this.#effects() }
      case 'group':
        return {
          kind,
          rows: Array.from({ length: 1 + random.below(3) }, () => this.#row()),
          enqueued: random.chance(0.4) ? this.#effects() : [],
        }
      case 'load':
        return { kind, rows: Array.from({ length: 1 + random.below(6) }, () => this.#row()) }
    }
  }

  #row(): PlannedRow {
    return { isBad: this.#random.chance(0.08), effects: this.#effects() }
  }

  #effects(): PlannedEffect[] {
    return Array.from({ length: this.#random.chance(0.8) ? 1 : 3 }, () => this.#effect())
  }

  #effect(): PlannedEffect {
    const random = this.#random
    return {
      key: random.chance(this.#keyless) ? null : random.pick(keys),
      delayMs: random.chance(this.#delayShare) ? random.pick(this.#pace.delaysMs) : 0,
      isLatestOnly: random.chance(this.#latestShare),
      ailment: random.weighted(this.#ailments),
    }
  }

  /** What is done to the processes, the clocks, the machine and the target, between the calls. */
  #harm(steps: EffectsStep[]): void {
    const random = this.#random
    const process = (): number => random.below(this.#processes)
    const { stopsMs, jumpsMs, troubleMs } = this.#pace
    const harms: Readonly<Record<string, () => readonly EffectsAction[]>> = {
      kill: () => {
        const killed = process()
        return [{ kind: 'kill', process: killed }, ...(random.chance(0.6) ? [this.#open(killed)] : [])]
      },
      close: () => {
        const closed = process()
        return [
          { kind: 'close', process: closed, timeoutMs: random.pick([0, 20, 30_000]) },
          this.#open(closed),
        ]
      },
      stop: () => [{ kind: 'stop', process: process(), forMs: random.between(...stopsMs) }],
      jump: () => [{ kind: 'jump-clock', process: process(), byMs: random.pick(jumpsMs) }],
      power: () => [
        { kind: 'lose-power' },
        ...Array.from({ length: this.#processes }, (_, each) => this.#open(each)),
      ],
      target: () => [
        {
          kind: 'target',
          mode: random.pick<Exclude<TargetMode, 'up'>>([
            'down',
            'down',
            'busy',
            'breaks-off',
            'slow',
            'hangs',
          ]),
          forMs: random.between(...troubleMs),
        },
      ],
    }
    for (let count = 2 + random.below(4); count > 0; count--) {
      const harm = random.weighted({ kill: 5, close: 2, stop: 4, jump: 1, power: 1, target: 4 })
      this.#insert(steps, harms[harm]?.() ?? [])
    }
    const { outageMs } = this.#pace
    if (outageMs !== undefined) this.#insert(steps, [{ kind: 'target', mode: 'down', forMs: outageMs }])
  }

  #insert(steps: EffectsStep[], actions: readonly EffectsAction[]): void {
    const first = this.#processes + 1
    let at = first + this.#random.below(Math.max(1, steps.length - first))
    for (const action of actions) {
      steps.splice(at, 0, { afterMs: this.#random.between(0, 3), ...action })
      at += 1 + this.#random.below(3)
    }
  }

  #faults(): PlannedFault[] {
    const random = this.#random
    const planned = Array.from({ length: random.below(5) }, (): PlannedFault => {
      const site = random.weighted({ commit: 8, begin: 2, statement: 3, end: 4, recover: 1, read: 2 })
      const kinds: readonly PlannedKind[] = plannedKinds[site]
      return { site, nth: 1 + random.below(reach[site]), kind: random.pick(kinds) }
    })
    // What was asked first is answered last.
    const lagging = this.#later.chance(0.1) ? this.#reads(lags, 'reader-lags') : []
    // What was read of the outbox before is not read again, and what comes after is not passed over.
    const failing = this.#later.chance(0.1) ? this.#reads(failures, 'read-fails') : []
    return [...planned, ...lagging, ...failing]
  }

  #reads(count: number, kind: PlannedKind): PlannedFault[] {
    return Array.from({ length: count }, () => ({
      site: 'read',
      nth: 1 + this.#later.below(4 * reach.read),
      kind,
    }))
  }
}
