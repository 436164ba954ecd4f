/** Makes the writes of a program of effects. */
import type { EffectRequest, Receipt, Tidemark } from '../../../index.ts'
import { effectId } from '../../../segments.ts'
import type { Seq } from '../../../contracts/position.ts'
import type { EffectNumber, WrittenEffect, WrittenOperation } from './history.ts'
import type { Ailment, EffectsWrite, PlannedEffect, PlannedRow } from './program.ts'

export interface EffectsTables {
  rows: { id?: number; n: number }
  cells: { key: string; n: number }
  acks: { id?: number; effect: number; kind: string }
}

/** Gives everything its number, and knows what is the matter with each effect. */
export class Numbering {
  readonly #planned: PlannedEffect[] = []
  #calls = 0

  nextCall(): number {
    return ++this.#calls
  }

  /** Numbers begin at 1. */
  nextEffect(planned: PlannedEffect): EffectNumber {
    return this.#planned.push(planned)
  }

  ailmentOf(effect: EffectNumber): Ailment {
    return this.#planned[effect - 1]?.ailment ?? 'none'
  }
}

interface Numbered {
  readonly number: EffectNumber
  readonly planned: PlannedEffect
}

export function accept(
  db: Tidemark<EffectsTables>,
  kind: string,
  write: EffectsWrite,
  numbering: Numbering,
): { receipt: Receipt; operations: WrittenOperation[] } {
  const number = (effects: readonly PlannedEffect[]): Numbered[] =>
    effects.map((planned) => ({ planned, number: numbering.nextEffect(planned) }))
  const requests = (numbered: readonly Numbered[]): EffectRequest[] =>
    numbered.map(({ number: payload, planned: { key, delayMs, isLatestOnly } }) => ({
      kind,
      payload,
      delayMs,
      latestOnly: isLatestOnly,
      ...(key !== undefined && { key }),
    }))
  switch (write.kind) {
    case 'row': {
      const numbered = number(write.row.effects)
      const receipt = db.insert('rows', rowOf(write.row), { effects: requests(numbered) })
      return { receipt, operations: [operationOf(receipt, 0, write.row.isBad, numbered)] }
    }
    case 'group': {
      const rows = write.rows.map(({ effects }) => number(effects))
      const enqueued = number(write.enqueued)
      const receipt = db.atomic((group) => {
        write.rows.forEach((row, at) =>
          group.insert('rows', rowOf(row), { effects: requests(rows[at] ?? []) }),
        )
        group.enqueue(...requests(enqueued))
      })
      const isBad = write.rows.some((row) => row.isBad)
      return { receipt, operations: [operationOf(receipt, 0, isBad, [...rows.flat(), ...enqueued])] }
    }
    case 'load': {
      const rows = write.rows.map(({ effects }) => number(effects))
      let asked = 0
      const receipt = db.insertMany('rows', write.rows.map(rowOf), {
        atomic: false,
        effects: () => requests(rows[asked++] ?? []),
      })
      const before = write.rows.length - 1
      const operations = write.rows.map(({ isBad }, at) =>
        operationOf(receipt, before - at, isBad, rows[at] ?? []),
      )
      return { receipt, operations }
    }
    case 'cell': {
      const numbered = number(write.effects)
      const row = { key: write.cell, n: numbered[0]?.number ?? 0 }
      const receipt = db.upsert('cells', row, { effects: requests(numbered) })
      return { receipt, operations: [operationOf(receipt, 0, false, numbered, write.cell)] }
    }
    case 'enqueue': {
      const numbered = number(write.effects)
      const receipt = db.enqueue(...requests(numbered))
      return { receipt, operations: [operationOf(receipt, 0, false, numbered)] }
    }
  }
}

function rowOf({ isBad }: PlannedRow): { n: number } {
  return { n: isBad ? -1 : 1 }
}

/** @param before how many operations of the same receipt come behind it */
function operationOf(
  { position: { epoch, seq: last } }: Receipt,
  before: number,
  isBad: boolean,
  effects: readonly Numbered[],
  rowKey?: string,
): WrittenOperation {
  const seq = (last - before) as Seq
  return {
    seq,
    isBad,
    effects: effects.map(({ number, planned }, n): WrittenEffect => {
      const key = planned.key === undefined ? rowKey : (planned.key ?? undefined)
      return { number, planned, key, id: effectId({ epoch, seq, n }) }
    }),
  }
}
