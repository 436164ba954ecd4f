/** What a keyed read must show of operations that are accepted and not yet committed: said anew, without the engine. */
import type { EngineRecord } from './ledger.ts'
import type { Written } from './model.ts'
import type { Part } from './program.ts'

export interface Folded {
  readonly n: number | undefined
  readonly pending: boolean
  /** The last position that it shows, where something is pending. */
  readonly shown: number
}

/**
 * @param tidemark of the state that the row is of
 * @param captured the last position that was accepted when the read began
 * @returns undefined when something is between them of which nobody can tell what it does: then the read had to wait
 */
export function foldOf(
  engine: EngineRecord,
  key: string,
  row: number | undefined,
  tidemark: number,
  captured: number,
): Folded | undefined {
  let n = row
  let shown = 0
  for (const { what, first } of engine.accepted) {
    if (first <= tidemark || first > captured) continue
    if (what.kind === 'transaction') return undefined
    for (const part of partsOf(what)) {
      if (part.kind === 'add') return undefined
      if (!isOn(part, key)) continue
      shown = first
      n = foldPart(part, n)
    }
  }
  return { n, pending: shown > 0, shown }
}

/** How many operations on this key were accepted after a position, and are not redrives. */
export function countOn(engine: EngineRecord, key: string, after: number): number {
  let count = 0
  for (const { what, first } of engine.accepted) {
    if (first <= after) continue
    for (const part of partsOf(what)) if (isOn(part, key)) count++
  }
  return count
}

function partsOf(what: Written): readonly Part[] {
  if (what.kind === 'group') return what.parts
  return what.kind === 'load' || what.kind === 'result' || what.kind === 'transaction' ? [] : [what]
}

function isOn(
  part: Part,
  key: string,
): part is Extract<Part, { key: string }> & { kind: Exclude<Part['kind'], 'link'> } {
  return 'key' in part && part.kind !== 'link' && part.key === key
}

function foldPart(part: Extract<Part, { key: string }>, n: number | undefined): number | undefined {
  switch (part.kind) {
    case 'insert':
      return n ?? part.n
    case 'upsert':
      return part.n
    case 'update': {
      const isFound = n !== undefined && (part.was === undefined || part.was === n)
      return isFound && (part.expect ?? 1) === 1 ? part.n : n
    }
    case 'delete':
      return part.expect === 0 ? n : undefined
    case 'link':
      return n
  }
}
