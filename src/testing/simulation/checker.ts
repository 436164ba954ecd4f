/**
 * Decides from a history whether every promise was kept. It goes through the events once, in their order; what a call
 * must include is noted when it begins, since only what had happened by then can be asked of it.
 *
 * It knows the laws and the model, and nothing of how the engine keeps them.
 */
import { CallJudge } from './judge-calls.ts'
import { ReadJudge } from './judge-reads.ts'
import { SettlementJudge } from './judge-settlements.ts'
import type { History, HistoryEvent } from './history.ts'
import { Ledger } from './ledger.ts'
import type { Violation } from './violation.ts'

/** @returns what is broken, nothing for a history as it should be; after the first few nothing can be relied on */
export function check(history: History): Violation[] {
  const violations: Violation[] = []
  let at = 0
  const report = (law: number, message: string): void => void violations.push({ law, message, at })
  const ledger = new Ledger(report)
  const settlements = new SettlementJudge(ledger, report)
  const reads = new ReadJudge(ledger, report)
  const calls = new CallJudge(ledger, report)
  for (const event of history.events) {
    judge(event)
    if (violations.length > 0) return violations
    at++
  }
  settlements.end()
  return violations

  function judge(event: HistoryEvent): void {
    switch (event.kind) {
      case 'opened':
        return ledger.open(event)
      case 'committed':
        return ledger.commit(event.contents)
      case 'went-back':
        ledger.goBack(event.contents)
        return calls.wentBack(event.byPowerLoss)
      case 'accepted':
        reads.accepted(event)
        return settlements.judge(event)
      case 'refused':
      case 'settled':
      case 'redrive':
      case 'redriven':
      case 'told-rejected':
      case 'told-change':
        return settlements.judge(event)
      case 'work':
      case 'read':
      case 'read-ended':
      case 'get':
      case 'get-ended':
      case 'took':
      case 'session':
      case 'catch-up':
      case 'caught-up':
        return reads.judge(event)
      case 'flush':
      case 'flushed':
      case 'close':
      case 'closed':
      case 'room':
      case 'told-stopped':
      case 'open-failed':
      case 'opening':
        return calls.judge(event)
      case 'never-ended':
        return report(1, `nothing is left to run, and ${event.what} has not ended`)
      case 'crashed':
        return report(1, `something broke: ${event.error}`)
      case 'fault':
      case 'died':
        return undefined
    }
  }
}
