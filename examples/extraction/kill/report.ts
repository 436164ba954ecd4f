/** `npm run extraction -- kill`: the campaign, and its table. */
import { tmpdir } from 'node:os'
import path from 'node:path'
import Table from 'cli-table3'
import { runKills, type Tally } from './campaign.ts'
import { faults } from './inspect.ts'
import type { Way } from './stage.ts'

export interface KillOptions {
  readonly ways: readonly Way[]
  readonly rounds: number
  readonly seed: number
}

const titles: Readonly<Record<Way, string>> = { tidemark: 'Tidemark', naive: 'naive' }

/** @returns whether Tidemark, where it was asked, has left everything in order */
export async function kill({ ways, rounds, seed }: KillOptions): Promise<boolean> {
  const tallies: Tally[] = []
  for (const way of ways) {
    console.log(`${titles[way]}: ${rounds} rounds of kills, seed ${seed}`)
    const log = path.join(tmpdir(), `tidemark-extraction-kill-${way}-${seed}.log`)
    const tally = await runKills({
      way,
      rounds,
      seed,
      log,
      onRound: (round, killed) => {
        if (round % 10 === 0) console.log(`round ${round}: ${killed.join(', ')}`)
      },
    })
    tallies.push(tally)
    for (const [fault, found] of Object.entries(tally.found))
      if (found.length > 0)
        console.log(`  ${fault}: ${found.slice(0, 3).join('; ')}${found.length > 3 ? '; …' : ''}`)
    if (faultsOf(tally) > 0) console.log(`  What the parts said: ${log}`)
  }
  console.log(killTable(tallies))
  return tallies.every((tally) => tally.way === 'naive' || faultsOf(tally) === 0)
}

export function faultsOf({ found }: Tally): number {
  return Object.values(found).reduce((sum, { length }) => sum + length, 0)
}

export function killTable(tallies: readonly Tally[]): string {
  const table = new Table({
    head: ['', ...tallies.map(({ way }) => titles[way])],
    colAligns: ['left', ...tallies.map(() => 'right' as const)],
    style: { head: [], border: [], compact: true },
  })
  const row = (name: string, value: (tally: Tally) => number): void => {
    table.push([name, ...tallies.map((tally) => Math.round(value(tally)).toLocaleString('en'))])
  }
  const [first] = tallies
  if (first === undefined) return ''
  row('rounds', ({ rounds }) => rounds)
  row('kills', ({ kills }) => Object.values(kills).reduce((sum, number) => sum + number, 0))
  for (const victim of Object.keys(first.kills) as (keyof Tally['kills'])[])
    row(`  ${victim}`, ({ kills }) => kills[victim])
  row('  of them between two stores', ({ aimed }) => aimed)
  row('seconds', ({ seconds }) => seconds)
  row('  from the last kill to rest', ({ drainSeconds }) => drainSeconds)
  for (const name of Object.keys(first.counts)) row(name, ({ counts }) => counts[name] ?? 0)
  table.push(['done again', ...tallies.map(() => '')])
  row('  requests to the API: not answered', ({ sentAgain }) => sentAgain)
  row('  documents read', ({ readAgain }) => readAgain)
  row('  jobs, taken for abandoned', ({ jobsAgain }) => jobsAgain)
  for (const fate of Object.keys(first.deliveredAgain) as (keyof Tally['deliveredAgain'])[])
    row(`  vectors delivered: ${fate}`, ({ deliveredAgain }) => deliveredAgain[fate])
  row('  replies used by a later attempt', ({ model }) => model['late'] ?? 0)
  row('  calls of the model beyond its replies', ({ model, counts }) =>
    Math.max(0, (model['calls'] ?? 0) - (counts['replies of the model'] ?? 0)),
  )
  table.push(['WRONG AT THE END', ...tallies.map(() => '')])
  for (const fault of faults) row(`  ${fault}`, ({ found }) => found[fault].length)
  return table.toString()
}
