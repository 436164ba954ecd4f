/** Looks for a violation, seed after seed. Runs in a copy of the tree that holds a mutant. */
import { worlds, type WorldName } from '../../src/testing/simulation/worlds.ts'

export interface Found {
  readonly seeds: number
  readonly law: number
  readonly message: string
}

Error.stackTraceLimit = 0
const seeds = Number(process.argv[2])
const world = worlds[process.argv[3] as WorldName]

let found: Found | undefined
for (let seed = 1; seed <= seeds && !found; seed++) {
  const { violation } = await world.explore(seed)
  if (violation) found = { seeds: seed, law: violation.law, message: violation.message }
  // Whoever waits sees that it goes on. To JSON it is nothing.
  process.stdout.write('\n')
}
console.log(JSON.stringify(found ?? null))
// What a broken engine still runs is nobody's business.
process.exit(0)
