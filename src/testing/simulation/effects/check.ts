/**
 * Decides from a history of effects whether every promise was kept, going through the events once, in their order. It
 * knows law 8 and what laws 3, 7 and 9 say of effects, and of how the engine keeps them only what a lane's row tells.
 */
import type { FaultKind } from '../faults.ts'
import type { Violation } from '../violation.ts'
import type { EffectsEvent, EffectsHistory } from './history.ts'
import { DeliveryJudge } from './judge-deliveries.ts'
import { judgeLanes } from './judge-lanes.ts'
import { WaitJudge } from './judge-waits.ts'
import { EffectsLedger } from './ledger.ts'

const replyIsLost = new Set<FaultKind>([
  'reply-lost',
  'reply-lost-while-running',
  'commit-fails-having-committed',
])

/** @returns what is broken, nothing for a history as it should be; after the first few nothing can be relied on */
export function checkEffects(history: EffectsHistory): Violation[] {
  const violations: Violation[] = []
  let at = 0
  const report = (law: number, message: string): void => void violations.push({ law, message, at })
  const ledger = new EffectsLedger()
  const deliveries = new DeliveryJudge(ledger, history.program, report)
  const waits = new WaitJudge(ledger, report)
  for (const event of history.events) {
    judge(event)
    if (violations.length > 0) return violations
    at++
  }
  return violations

  function judge(event: EffectsEvent): void {
    switch (event.kind) {
      case 'opened':
        return ledger.open(event, at)
      case 'written':
        return ledger.write(event, event.atMs, at)
      case 'committed':
        ledger.commit(event.contents, event.atMs, at)
        judgeLanes(event.contents, ledger, event.atMs, at, report)
        deliveries.committed(event.contents, at)
        waits.judgeAttempts()
        return waits.judgeDead(at)
      case 'synced':
        return ledger.synced()
      case 'went-back':
        ledger.goBack(event.contents, event.atMs, at)
        return deliveries.committed(event.contents, at, true)
      case 'call':
        return deliveries.called(event, at)
      case 'aborted':
      case 'answered': {
        const call = ledger.calls.get(event.call)
        if (!call) return
        if (event.kind === 'aborted') call.isAborted = true
        else {
          call.answeredAt = at
          call.outcomes = event.outcomes
          call.by.wasAnswered ||= event.outcomes !== undefined
          deliveries.ended(call)
        }
        return
      }
      case 'delivered':
        return deliveries.delivered(event, at)
      case 'reached':
        return waits.began(event, at)
      case 'reached-ended':
        return waits.ended(event)
      case 'died':
        return ledger.end(({ process }) => process === event.process, at)
      case 'told':
        if (event.alert === 'stopped') ledger.end(({ engine }) => engine === event.engine, at)
        return
      case 'close': {
        const engine = ledger.engines.get(event.engine)
        if (engine) engine.isClosing = true
        return ledger.end(({ engine: id }) => id === event.engine, at)
      }
      case 'end':
        return waits.end(event)
      case 'never-ended':
        return report(1, `nothing is left to run, and ${event.what} has not ended`)
      case 'crashed':
        return report(1, `something broke: ${event.error}`)
      case 'fault':
        if (replyIsLost.has(event.fault)) ledger.lostReplies.push(at)
        return
      case 'closed':
      case 'refused':
      case 'redriven':
      case 'peace':
        return undefined
    }
  }
}
