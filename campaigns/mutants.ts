/**
 * Plants bugs in the shipped code, one after another, and tells after how many simulated histories each is found.
 *
 *   npm run mutants                      all of them
 *   npm run mutants -- --only fence      those with this word in their name
 *
 * One that survives is a hole in the simulation or its checker: the command fails.
 */
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { mutants } from './mutants/all.ts'
import { hunt } from './mutants/plant.ts'

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    jobs: { type: 'string', default: String(availableParallelism()) },
  },
})
const chosen = mutants.filter(({ name }) => name.includes(values.only))
const waiting = [...chosen]
let survivors = 0

await Promise.all(Array.from({ length: Number(values.jobs) }, work))
console.log(`${chosen.length - survivors} of ${chosen.length} mutants found`)
if (survivors > 0 || chosen.length === 0) process.exitCode = 1

async function work(): Promise<void> {
  for (let mutant = waiting.shift(); mutant; mutant = waiting.shift()) {
    const result = await hunt(mutant)
    if (result === 'survived') survivors++
    const told =
      typeof result === 'string'
        ? `${result} ${mutant.within} seeds`
        : `found at seed ${result.seeds} of ${mutant.within}: law ${result.law}: ${result.message.slice(0, 100)}`
    console.log(`${result === 'survived' ? 'SURVIVED' : 'ok      '} ${mutant.name}: ${told}`)
  }
}
