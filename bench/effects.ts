/** `npm run bench -- effects`: follow-up work beside the queues that people use for it. Sections in order, then the goals. */
import { runCommand } from './command.ts'
import { parseEffectsOptions, type EffectsBenchOptions, type EffectsSectionName } from './options/effects.ts'
import type { Goal } from './report/goals.ts'
import type { Context } from './sections/context.ts'
import { compareCallers } from './sections/effects/callers.ts'
import { compareDrains, compareUnevenDrains } from './sections/effects/drain.ts'
import { effectsGoalsOf, type MeasuredEffects } from './sections/effects/goals.ts'
import { compareIdle } from './sections/effects/idle.ts'
import type { EffectsContext } from './sections/effects/job.ts'
import { startPlaces } from './sections/effects/places.ts'
import { compareWrites } from './sections/effects/writes.ts'

const HOW_TAKEN = [
  'Contenders run in a process of their own, one after another, round by round, on a file, in a database of one server',
  'or in an empty Redis; figures are medians over the rounds. All are given the same items of about 100 bytes; a handler',
  'does nothing. Retries and leases are on. Each contender is set as its own documentation says that it is fastest (its',
  'file in bench/peers/effects says which page); tidemark has its defaults: sqlite does not sync each commit, sqlite-full',
  'does, and each handler waits for a sync of what it is given.',
  'A queue is drained when its own database holds no item as not done. Each item must have been handled once, those that',
  'fail twice, none before its time, or the run fails. Where some fail, each contender tries them again as soon as it can',
  '(graphile-worker: after 2.7 s, pg-boss: 0.5 s); items/s is that until nine tenths were done, so that the waits of the',
  'last ones do not count; to the end: with them.',
  'sqlite is, postgres is: rate of tidemark there against the contender in the same round, median. µs/item: CPU of the',
  'thread that enqueues and handles; all threads: of its process; server: of all processes of the server. delay: of the',
  'event loop, as Node records it (1 ms timer, so idle is 1.1). peak: highest resident memory. others: processors kept',
  'busy by other processes meanwhile, without the server.',
]

export async function benchEffects(args: readonly string[]): Promise<void> {
  await runCommand({
    name: 'effects',
    options: parseEffectsOptions(args),
    howTaken: HOW_TAKEN,
    run: runSections,
  })
}

async function runSections(
  context: Context<EffectsBenchOptions>,
): Promise<{ sections: object; goals: readonly Goal[] }> {
  const { options, folder } = context
  await using places = await startPlaces(options.only, {
    server: options.server,
    postgresFolder: options.folder,
    folder,
  })
  const servers = Object.assign(
    {},
    ...(await Promise.all(places.all.map((place) => place.describe()))),
  ) as Record<string, string>
  context.print('\nThe servers:')
  for (const [name, value] of Object.entries(servers))
    context.print(`  ${name.padEnd(27)} ${value || '(none)'}`)
  const measured = await measure({ ...context, places })
  return { sections: { servers, ...measured }, goals: effectsGoalsOf(measured) }
}

async function measure(context: EffectsContext): Promise<MeasuredEffects> {
  const wants = (section: EffectsSectionName): boolean => context.options.sections.includes(section)
  return {
    ...(wants('drain') && { drains: await compareDrains(context) }),
    ...(wants('uneven') && { uneven: await compareUnevenDrains(context) }),
    ...(wants('callers') && { callers: await compareCallers(context) }),
    ...(wants('idle') && { idle: await compareIdle(context) }),
    ...(wants('writes') && { writes: await compareWrites(context) }),
  }
}
