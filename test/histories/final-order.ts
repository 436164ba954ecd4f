/**
 * What became of each write, as the database tells once all is over: its place in the order of commits, or that it
 * was rejected, or lost.
 *
 * Keeps: laws 1, 2, 3 and 5 as the ground that the judgements on reads stand on: what was acknowledged is there, each
 * write once, in the order of its writer without gaps, and what was rejected is in the dead letters.
 */
import type { History, Mark, WriteId, Written } from './history.ts'
import type { Report } from './violation.ts'

export interface KnownWrite extends Written {
  readonly position: Mark
}

export class FinalOrder {
  readonly writes = new Map<WriteId, KnownWrite>()
  /** In the order of commits. */
  readonly log: readonly WriteId[]
  readonly #places: ReadonlyMap<WriteId, number>
  readonly #rejected: ReadonlySet<string>
  readonly #byPosition = new Map<string, KnownWrite>()
  readonly #byEpoch = new Map<number, KnownWrite[]>()

  constructor({ events, final }: History) {
    this.log = final.log.map(({ write }) => write)
    this.#places = new Map(this.log.map((write, place) => [write, place]))
    this.#rejected = new Set(final.deadLetters.map(nameOf))
    for (const event of events) if (event.kind === 'write' && isAccepted(event)) this.#add(event)
    for (const writes of this.#byEpoch.values()) writes.sort((a, b) => a.position.seq - b.position.seq)
  }

  #add(write: KnownWrite): void {
    this.writes.set(write.write, write)
    this.#byPosition.set(nameOf(write.position), write)
    const { epoch } = write.position
    this.#byEpoch.set(epoch, [...(this.#byEpoch.get(epoch) ?? []), write])
  }

  /** In the order of commits; undefined when it was never committed. */
  place(write: WriteId): number | undefined {
    return this.#places.get(write)
  }

  isRejected(write: WriteId): boolean {
    const known = this.writes.get(write)
    return known !== undefined && this.#rejected.has(nameOf(known.position))
  }

  /** Its process was killed before it was committed. */
  isLost(write: WriteId): boolean {
    return !this.#places.has(write) && !this.isRejected(write)
  }

  at(position: Mark): KnownWrite | undefined {
    return this.#byPosition.get(nameOf(position))
  }

  /** A writer's operations up to this position, in their order. */
  upTo({ epoch, seq }: Mark): KnownWrite[] {
    return (this.#byEpoch.get(epoch) ?? []).filter(({ position }) => position.seq <= seq)
  }

  /** What the registers are behind these writes. */
  registersAfter(log: readonly WriteId[]): Record<string, WriteId> {
    const registers: Record<string, WriteId> = {}
    for (const write of log) {
      const key = this.writes.get(write)?.key
      if (key !== undefined) registers[key] = write
    }
    return registers
  }

  epochs(): number[] {
    return [...this.#byEpoch.keys()]
  }
}

function isAccepted(event: Written): event is KnownWrite {
  return event.position !== undefined
}

function nameOf({ epoch, seq }: Mark): string {
  return `${epoch}.${seq}`
}

export function checkFinal({ events, final }: History, order: FinalOrder, report: Report): void {
  for (const [write, times] of countOf(order.log)) {
    if (times > 1) report('repeated', `write ${write} is in the database ${times} times`, [])
    if (!order.writes.has(write)) report('repeated', `write ${write} is there, and nobody accepted it`, [])
  }
  for (const epoch of order.epochs()) {
    const inOrder = order.upTo({ epoch, seq: Infinity }).map(({ write }) => write)
    checkPrefix(epoch, inOrder, order, report)
  }
  const torn = tornRegisters(final.registers, order.registersAfter(order.log))
  if (torn.length > 0)
    report('prefix', `registers ${torn.join(', ')} are not those of the log in the end`, [])
  for (const event of events) {
    if (event.kind === 'committed') {
      const gone = order.upTo(event.position).filter(({ write }) => order.isLost(write))
      if (gone.length > 0)
        report('acknowledged-lost', `${gone.length} writes are gone, though their commit was told`, [
          event,
          ...gone,
        ])
    }
    const write = event.kind === 'rejected' ? order.at(event.position) : undefined
    if (write && !order.isRejected(write.write))
      report('rejection', `write ${write.write} was told rejected and is not in the dead letters`, [
        write,
        event,
      ])
  }
  for (const position of final.deadLetters) {
    const write = order.at(position)
    if (write && !write.isPoison)
      report('rejection', `write ${write.write} was rejected, and is no poison`, [write])
  }
  for (const write of order.writes.values())
    if (write.isPoison && order.place(write.write) !== undefined)
      report('rejection', `write ${write.write} is poison, and was committed`, [write])
}

/** @param accepted a writer's operations in the order of their positions */
function checkPrefix(epoch: number, accepted: readonly WriteId[], order: FinalOrder, report: Report): void {
  const expected = accepted.filter((write) => !order.isRejected(write))
  const own = new Set(accepted)
  const found = [...new Set(order.log)].filter((write) => own.has(write))
  const differs = found.findIndex((write, index) => write !== expected[index])
  if (differs >= 0)
    report(
      'prefix',
      `epoch ${epoch}: write ${found[differs]} was committed where ${expected[differs]} comes next`,
      [],
    )
}

/** @returns the registers that differ */
export function tornRegisters(
  registers: Readonly<Record<string, WriteId>>,
  expected: Readonly<Record<string, WriteId>>,
): string[] {
  const names = new Set([...Object.keys(registers), ...Object.keys(expected)])
  return [...names].filter((name) => registers[name] !== expected[name])
}

function countOf(writes: readonly WriteId[]): Map<WriteId, number> {
  const counts = new Map<WriteId, number>()
  for (const write of writes) counts.set(write, (counts.get(write) ?? 0) + 1)
  return counts
}
