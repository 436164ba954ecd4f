/**
 * What can go wrong, and where. A fault is planned for the nth time that something happens at its site, so that the
 * same program meets the same faults, and one of them can be left out.
 */

/** What is planned at each site of the simulated database. */
export const plannedKinds = {
  /** A batch arrives. */
  commit: [
    'slow',
    'reply-lost',
    'reply-lost-while-running',
    'request-lost',
    'dies-before-commit',
    'dies-after-commit',
    'commit-outlives-process',
    'store-fatal',
  ],
  /** BEGIN of a batch or a transaction. */
  begin: ['busy-at-begin'],
  /** A statement of a batch. */
  statement: ['busy-at-statement', 'disk-full', 'dies-inside-commit'],
  /** COMMIT itself. */
  end: ['busy-at-commit', 'commit-fails', 'commit-fails-having-committed'],
  /** The tidemark is read again. */
  recover: ['recovery-fails'],
  /** A query or a snapshot. */
  read: ['reader-lags', 'read-fails'],
} as const

export type Site = keyof typeof plannedKinds
export type PlannedKind = (typeof plannedKinds)[Site][number]

/** What the program itself does, or what follows from it. */
export const otherKinds = [
  'process-killed',
  'process-stopped',
  'clock-jumped',
  'power-lost',
  'history-lost',
  'two-writers-of-one-name',
  'row-rejected',
  'transaction-ended-by-statement',
  'queue-full',
] as const

/** What happens to effects, beside what happens to the database that they are in. */
export const effectKinds = [
  'target-down',
  'target-busy',
  'target-breaks-off',
  'target-slow',
  'target-hangs',
  'request-to-target-lost',
  'answer-of-target-lost',
  'killed-between-delivery-and-ack',
  'killed-in-a-claim',
  'many-lanes-orphaned',
  'zombie-delivered',
  'delivered-again',
  'handler-failed',
  'ack-refused',
  'effect-dead',
  'effect-redriven',
  'superseded',
  'down-for-an-hour',
] as const

/** What happens in the world of writes and reads. */
type WriteFault = PlannedKind | (typeof otherKinds)[number]
export const faultKinds: readonly WriteFault[] = [...Object.values(plannedKinds).flat(), ...otherKinds]

/** Without what needs interactive transactions, a restored backup, or full queues. */
export const effectFaultKinds: readonly FaultKind[] = [
  ...Object.values(plannedKinds).flat(),
  'process-killed',
  'process-stopped',
  'clock-jumped',
  'power-lost',
  ...effectKinds,
]

export type FaultKind = WriteFault | (typeof effectKinds)[number]

export interface PlannedFault {
  readonly site: Site
  /** The first time is 1. */
  readonly nth: number
  readonly kind: PlannedKind
}

export class Faults {
  /** How often each happened. */
  readonly counts: Map<FaultKind, number> = new Map()
  /** Called when one happens. */
  readonly onFault: (kind: FaultKind) => void
  readonly #planned: Record<Site, Map<number, PlannedKind>>
  readonly #passed: Record<Site, number> = { commit: 0, begin: 0, statement: 0, end: 0, recover: 0, read: 0 }
  #areOver = false

  constructor(planned: readonly PlannedFault[], onFault: (kind: FaultKind) => void) {
    this.#planned = {
      commit: new Map(),
      begin: new Map(),
      statement: new Map(),
      end: new Map(),
      recover: new Map(),
      read: new Map(),
    }
    for (const { site, nth, kind } of planned) this.#planned[site].set(nth, kind)
    this.onFault = onFault
  }

  /** From now on nothing goes wrong any more. */
  end(): void {
    this.#areOver = true
  }

  /** Something happens at the site. @returns what goes wrong this time */
  at(site: Site): PlannedKind | undefined {
    if (this.#areOver) return undefined
    const kind = this.#planned[site].get(++this.#passed[site])
    if (kind !== undefined) this.happened(kind)
    return kind
  }

  happened(kind: FaultKind): void {
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1)
    this.onFault(kind)
  }
}
