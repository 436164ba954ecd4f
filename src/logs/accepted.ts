/** Entries at the moment they are accepted. */
import type { Change } from '../reads/changes.ts'
import type { Position } from '../contracts/position.ts'
import { entryOf, type StoredEntry } from './entry.ts'
import type { LogEngine, LogTable } from './table.ts'

/** It has no id yet: that is given with the commit. */
export type AcceptedEntry =
  | (Omit<StoredEntry, 'id'> & { readonly position: Position })
  /** So many were left out here, because the consumer was behind. */
  | { readonly missed: number; readonly position: Position }

export async function* acceptedEntries(
  db: LogEngine,
  table: LogTable,
  signal: AbortSignal,
): AsyncGenerator<AcceptedEntry, void, undefined> {
  for await (const change of db.changes({ when: 'accepted', table: table.plainName, signal })) {
    const entry = entryOfChange(change)
    if (entry) yield entry
  }
}

function entryOfChange(change: Change): AcceptedEntry | undefined {
  if (change.kind === 'gap') return { missed: change.missed, position: change.position }
  if (change.kind !== 'insert') return undefined
  const { id: _, ...entry } = entryOf(change.values)
  return { ...entry, position: change.position }
}
