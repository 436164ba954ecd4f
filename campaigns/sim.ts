/**
 * `npm run sim`: simulates histories and checks each against the laws. Prints histories and operations a second, and how
 * often each fault happened. A violation is told with its seed; the first ones also with the steps that are left when
 * all others are taken away, and their timeline. Ends with code 1 if a law is broken or a fault never happened.
 */
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { TEXT, wholeNumber } from '../bench/options/parse.ts'
import type { FaultKind } from '../src/testing/simulation/faults.ts'
import { worlds, type WorldName } from '../src/testing/simulation/worlds.ts'
import { command } from './command.ts'
import type { Report, Task } from './sim/explore.ts'

const usage = `Usage: npm run sim -- [--effects] [--seeds N] [--from S] [--jobs J] | --seed S

  --effects    the world of effects: their handlers, targets, lanes and clocks
  --seeds N    how many histories (10,000)
  --from S     the first seed (1)
  --jobs J     threads (one a core)
  --seed S     one history; its timeline if it breaks a law`

/** With fewer seeds a rare fault may not have come up. */
const seedsForEveryKind = 2_000
const shownInFull = 3

const options = { effects: { type: 'boolean' }, seeds: TEXT, from: TEXT, jobs: TEXT, seed: TEXT } as const

await command(usage, options, async (given) => {
  const world = given.effects ? 'effects' : 'writes'
  if (given.seed !== undefined) return await show(world, wholeNumber('seed', given.seed, 0, 0))
  const jobs = wholeNumber('jobs', given.jobs, availableParallelism())
  return await campaign(
    world,
    wholeNumber('from', given.from, 1, 0),
    wholeNumber('seeds', given.seeds, 10_000),
    jobs,
  )
})

async function campaign(world: WorldName, from: number, seeds: number, jobs: number): Promise<number> {
  const startedMs = performance.now()
  let [histories, small, operations] = [0, 0, 0]
  const faults = new Map<FaultKind, number>()
  const broken: Report['violations'][number][] = []
  let saidMs = startedMs
  const collect = (report: Report): void => {
    histories += report.histories
    small += report.small
    operations += report.operations
    for (const [kind, count] of report.faults) faults.set(kind, (faults.get(kind) ?? 0) + count)
    for (const violation of report.violations) {
      broken.push(violation)
      console.log(`seed ${violation.seed}: law ${violation.law}: ${violation.message}`)
    }
    if (performance.now() - saidMs < 10_000) return
    saidMs = performance.now()
    console.log(
      `${histories} histories, ${broken.length} violations, ${rate(histories, startedMs)} histories/s`,
    )
  }
  await Promise.all(
    Array.from({ length: jobs }, (_, job) =>
      work({ world, from: from + job, to: from + seeds, stride: jobs }, collect),
    ),
  )
  console.log(
    `seeds ${from} to ${from + seeds - 1}, ${jobs} jobs, ${Math.round((performance.now() - startedMs) / 1_000)} s`,
  )
  console.log(
    `${histories} histories, ${rate(histories, startedMs)} a second; ${operations} operations, ${rate(operations, startedMs)} a second; ` +
      `${small} more that were too small to count`,
  )
  const { faultKinds } = worlds[world]
  for (const kind of faultKinds) console.log(`  ${kind.padEnd(32)} ${faults.get(kind) ?? 0}`)
  const missing = faultKinds.filter((kind) => !faults.has(kind))
  const isLacking = missing.length > 0 && seeds >= seedsForEveryKind
  if (isLacking) console.log(`never happened: ${missing.join(', ')}`)
  for (const { seed } of broken.slice(0, shownInFull)) await show(world, seed)
  console.log(broken.length === 0 ? 'no violation' : `${broken.length} histories break a law`)
  return broken.length > 0 || isLacking ? 1 : 0
}

function work(task: Task, collect: (report: Report) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('sim/worker.ts', import.meta.url), { workerData: task })
    worker.on('message', collect)
    worker.on('error', reject)
    worker.on('exit', (code) => (code === 0 ? resolve() : reject(new Error(`a worker ended with ${code}`))))
  })
}

function rate(count: number, sinceMs: number): number {
  return Math.round(count / ((performance.now() - sinceMs) / 1_000))
}

async function show(world: WorldName, seed: number): Promise<number> {
  const shown = await worlds[world].show(seed)
  if (!shown) {
    console.log(`seed ${seed}: no violation`)
    return 0
  }
  console.log(`\nseed ${seed} breaks law ${shown.violation.law}: ${shown.violation.message}`)
  console.log(`left of ${shown.size}:`)
  console.log(shown.lines.join('\n'))
  return 1
}
