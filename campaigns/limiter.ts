/**
 * `npm run limiter`: adaptive concurrency against fixed limits, in virtual time: what is delivered, how long it takes,
 * and how much of it the target refuses. Prints the same figures on every machine.
 */
import Table from 'cli-table3'
import { TEXT, wholeNumber } from '../bench/options/parse.ts'
import { run } from '../test/support/limiter-runs.ts'
import { scenarios } from '../test/support/limiter-scenarios.ts'
import { command } from './command.ts'

const usage = `Usage: npm run limiter -- [--seed S]

  --seed S    the service times of another run (1)`

await command(usage, { seed: TEXT }, (given) => {
  const seed = wholeNumber('seed', given.seed, 1, 0)
  for (const scenario of Object.values(scenarios)) {
    const table = new Table({
      head: ['limit', 'delivered/s', 'median ms', 'p99 ms', 'refused %', 'mean limit'],
      style: { head: [], border: [] },
    })
    for (const concurrency of [1, 4, 16, 64, 'adaptive'] as const) {
      const { deliveredPerSecond, medianMs, p99Ms, overloadShare, limits } = run(scenario, concurrency, seed)
      const meanLimit = limits.reduce((sum, limit) => sum + limit, 0) / limits.length
      table.push([
        concurrency,
        deliveredPerSecond.toFixed(2),
        Math.round(medianMs),
        Math.round(p99Ms),
        (overloadShare * 100).toFixed(1),
        meanLimit.toFixed(1),
      ])
    }
    console.log(`${scenario.name}, ${scenario.minutes} minutes\n${table.toString()}\n`)
  }
  return Promise.resolve(0)
})
