/**
 * `npm run mutants`: plants bugs in copies of the shipped code, one after another, and tells after how many simulated
 * histories each is found. One that survives is a hole in the simulation or its checker: the command ends with code 1.
 */
import { availableParallelism } from 'node:os'
import { TEXT, UsageError, wholeNumber } from '../bench/options/parse.ts'
import { command } from './command.ts'
import { mutants } from './mutants/all.ts'
import type { Mutant } from './mutants/mutant.ts'
import { hunt } from './mutants/plant.ts'

const usage = `Usage: npm run mutants -- [--only WORDS] [--jobs J]

  --only WORDS    those with these words in their name
  --jobs J        how many at once (one a core)`

await command(usage, { only: TEXT, jobs: TEXT }, async ({ only = '', jobs }) => {
  const chosen = mutants.filter(({ name }) => name.includes(only))
  if (chosen.length === 0) throw new UsageError(`No mutant has "${only}" in its name.`)
  const waiting = [...chosen]
  const work = async (): Promise<number> => {
    let survivors = 0
    for (let mutant = waiting.shift(); mutant; mutant = waiting.shift())
      if (!(await isFound(mutant))) survivors++
    return survivors
  }
  const workers = Array.from({ length: wholeNumber('jobs', jobs, availableParallelism()) }, work)
  const survivors = (await Promise.all(workers)).reduce((sum, count) => sum + count, 0)
  console.log(`${chosen.length - survivors} of ${chosen.length} mutants found`)
  return survivors > 0 ? 1 : 0
})

async function isFound(mutant: Mutant): Promise<boolean> {
  const result = await hunt(mutant)
  const told =
    typeof result === 'string'
      ? `${result} ${mutant.within} seeds`
      : `found at seed ${result.seeds} of ${mutant.within}: law ${result.law}: ${result.message.slice(0, 100)}`
  console.log(`${result === 'survived' ? 'SURVIVED' : 'ok      '} ${mutant.name}: ${told}`)
  return result !== 'survived'
}
