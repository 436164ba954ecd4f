/** Counts what goes wrong by itself, without a fault that was planned: it follows from what the program does. */
import type { FaultKind } from './faults.ts'
import type { EngineId, HistoryEvent } from './history.ts'
import type { Written } from './model.ts'
import type { WriteId } from './program.ts'

export function countConsequences(events: readonly HistoryEvent[], counts: Map<FaultKind, number>): void {
  const add = (kind: FaultKind): void => void counts.set(kind, (counts.get(kind) ?? 0) + 1)
  const writes = new Map<WriteId, Written>()
  /** By writer's name: the engines that nothing has ended yet. */
  const open = new Map<EngineId, { readonly writer: string; readonly process: number }>()
  for (const event of events) {
    switch (event.kind) {
      case 'opened':
        if ([...open.values()].some(({ writer }) => writer === event.writer)) add('two-writers-of-one-name')
        open.set(event.engine, event)
        break
      case 'died':
        for (const [engine, { process }] of open) if (process === event.process) open.delete(engine)
        break
      case 'close':
      case 'told-stopped':
        open.delete(event.engine)
        break
      case 'accepted':
        writes.set(event.write, event.what)
        break
      case 'told-rejected':
        add('row-rejected')
        break
      case 'settled':
        if (event.ending.kind === 'rejected' && endsTransactions(writes.get(event.write)))
          add('transaction-ended-by-statement')
        break
      case 'refused':
        if (event.ending.code === 'QUEUE_FULL') add('queue-full')
        break
      default:
    }
  }
}

/** It was refused by a statement that undoes everything before it in its transaction. */
function endsTransactions(what: Written | undefined): boolean {
  return what?.kind === 'add' && what.orRollback
}
