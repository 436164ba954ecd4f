/** What is told of a history that breaks a law: the steps that matter, and what happened, line by line. */
import { expect, test } from 'vitest'
import type { History } from '../../src/testing/simulation/history.ts'
import { shrink } from '../../src/testing/simulation/shrink.ts'
import { simulate } from '../../src/testing/simulation/simulate.ts'
import { contentsOf, timeline } from '../../src/testing/simulation/timeline.ts'
import type { Violation } from '../../src/testing/simulation/violation.ts'
import { programOf } from '../../src/testing/simulation/workload.ts'

/** As if no process might die while something is accepted and not committed. */
function diedWithSomethingPending({ events }: History): Violation[] {
  const accepted = events.findIndex((event) => event.kind === 'accepted')
  const at = events.findIndex((event, index) => event.kind === 'died' && accepted >= 0 && index > accepted)
  return at < 0 ? [] : [{ law: 1, message: 'a process died', at }]
}

test('a program is cut down to the steps without which the law would not be broken', async () => {
  const program = await firstThatBreaks()
  const [violation] = diedWithSomethingPending(await simulate(program))
  const shrunk = await shrink({ program, violation: violation as Violation }, async (smaller) =>
    diedWithSomethingPending(await simulate(smaller)),
  )
  expect(program.steps.length).toBeGreaterThan(40)
  expect(shrunk.program.steps.length + shrunk.program.faults.length).toBeLessThanOrEqual(4)
  const lines = timeline(await simulate(shrunk.program), shrunk.violation, contentsOf)
  expect(lines.at(-1)).toMatch(/^▶ +[\d.]+ ms {2}died +process 0$/)
  expect(lines.some((line) => / ms {2}accepted +engine 1, write 1, what /.test(line))).toBe(true)
  expect(lines.length).toBeLessThan(20)
})

async function firstThatBreaks() {
  for (let seed = 1; ; seed++) {
    const program = programOf(seed)
    if (program.processes === 1 && diedWithSomethingPending(await simulate(program)).length > 0)
      return program
  }
}
