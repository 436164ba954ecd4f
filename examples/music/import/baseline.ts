/** The baseline: every worker has its own connection, and every statement is a transaction of its own. */
import type { Destination, Tell } from './destination.ts'
import { durationsOf } from './result.ts'

export function baseline(tell: Tell): Destination {
  return {
    knownHash: () => undefined,
    async take(answer) {
      if (answer.kind === 'read') throw new Error('unreachable: a worker of the baseline writes by itself')
      tell(answer)
    },
    async finish(tallies) {
      const connections = tallies.flatMap(({ connection }) => connection ?? [])
      const sum = (count: 'reads' | 'writes' | 'busyErrors'): number =>
        connections.reduce((total, connection) => total + connection[count], 0)
      return {
        writes: sum('writes'),
        reads: sum('reads'),
        busyErrors: sum('busyErrors'),
        writeMs: durationsOf(connections.flatMap(({ writesMs }) => [...writesMs])),
        heldMs: undefined,
      }
    },
  }
}
