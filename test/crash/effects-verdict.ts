/** What the target got, held against what the database holds: law 8, and why anything came twice. */
import { Violation } from './model.ts'

export interface Delivered {
  readonly effect: string
  readonly key: string
  readonly version: number
  readonly row: string
  /** The process that delivered it. */
  readonly by: string
  readonly attempt: number
  /** Which of the target's processes took it. */
  readonly target: number
  /** Its answer took longer than the handler has time. */
  readonly isSlow: boolean
}

export interface Killed {
  /** Worker processes, by name and round. */
  readonly workers: ReadonlySet<string>
  readonly targets: ReadonlySet<number>
  readonly databases: number
}

export const reasons = [
  'worker killed between delivery and ack',
  'target killed when it had taken it',
  'answer too late',
  'lane went to another, or database killed',
] as const
export type Reason = (typeof reasons)[number]

export interface Verdict {
  readonly effects: number
  readonly deliveries: number
  readonly again: Record<Reason, number>
}

export function parseDelivered(text: string): Delivered[] {
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => {
      const [effect = '', key = '', version, row = '', writer = '', round = '', attempt, target, slow] =
        line.split(' ')
      const by = `${writer}-${round}`
      return {
        effect,
        key,
        row,
        by,
        version: Number(version),
        attempt: Number(attempt),
        target: Number(target),
        isSlow: slow === 'slow',
      }
    })
}

/**
 * @param rows the committed ones, with how often their ack was
 * @throws Violation
 */
export function judge(
  delivered: readonly Delivered[],
  rows: ReadonlyMap<string, number>,
  killed: Killed,
): Verdict {
  const first = new Map<string, Delivered>()
  const last = new Map<string, Delivered>()
  const newest = new Map<string, Delivered>()
  const again: Record<Reason, number> = Object.fromEntries(
    reasons.map((reason) => [reason, 0]),
  ) as Verdict['again']
  for (const one of delivered) {
    if (!rows.has(one.row)) throw new Violation(`effect ${one.effect} of ${one.row}, which was not committed`)
    const before = last.get(one.effect)
    last.set(one.effect, one)
    if (before !== undefined) {
      if (before.version !== one.version || before.row !== one.row)
        throw new Violation(`effect ${one.effect} is not what it was`)
      again[whyAgain(before, one, killed)]++
      continue
    }
    first.set(one.effect, one)
    const later = newest.get(one.key)
    if (later !== undefined && later.version > one.version)
      throw new Violation(`effect ${one.effect} of key ${one.key} comes first behind ${later.effect}`)
    newest.set(one.key, one)
  }
  const got = new Set([...first.values()].map(({ row }) => row))
  for (const [row, acks] of rows) {
    if (!got.has(row)) throw new Violation(`the effect of ${row} was not delivered`)
    if (acks !== 1) throw new Violation(`the ack of ${row} is committed ${acks} times`)
  }
  return { effects: first.size, deliveries: delivered.length, again }
}

/** @throws Violation when nothing explains it */
function whyAgain(before: Delivered, now: Delivered, killed: Killed): Reason {
  if (killed.workers.has(before.by)) return 'worker killed between delivery and ack'
  if (before.isSlow) return 'answer too late'
  if (now.attempt > before.attempt && killed.targets.has(before.target) && now.target !== before.target)
    return 'target killed when it had taken it'
  // The machine was busy.
  if (now.attempt > before.attempt) return 'answer too late'
  // Taken for down, it costs no attempt.
  if (killed.targets.has(before.target) && before.target !== now.target)
    return 'target killed when it had taken it'
  if (before.by !== now.by || killed.databases > 0) return 'lane went to another, or database killed'
  throw new Violation(`effect ${now.effect} comes again by ${now.by}, and nothing explains it`)
}
