/** The commands for effects, with their options. */
import type { Command } from 'commander'
import { databaseOption, type Database } from './database.ts'
import {
  mendDeadEffects,
  recoverEffects,
  setPaused,
  showEffectKinds,
  showKeptEffects,
} from './commands/effects.ts'
import { rowFormat, type RowFormat } from './terminal/rows.ts'
import { wholeNumber } from './units.ts'

interface ListOptions {
  readonly store: Database
  readonly format: RowFormat
  readonly kind?: string
  readonly after?: number
  readonly limit: number
}

interface RecoverOptions {
  readonly store: Database
  readonly missing?: string
  readonly existing?: string
  readonly apply: boolean
  readonly limit: number
}

export function addEffectCommands(program: Command): void {
  const effects = program.command('effects').description('follow-up work: what waits, and what was given up')

  effects
    .command('list', { isDefault: true })
    .description('print each kind with how much of it is not done')
    .addOption(databaseOption())
    .addOption(rowFormat())
    .action((options: ListOptions) => showEffectKinds(options.store, options.format))

  for (const [which, description] of [
    ['waiting', 'print what is tried again, delayed or held back, with its last error, oldest first'],
    ['dead', 'print what was given up, oldest first'],
  ] as const)
    effects
      .command(which)
      .description(description)
      .addOption(databaseOption())
      .addOption(rowFormat())
      .option('--kind <name>', 'only of this kind')
      .option('--after <version>', 'only those with a higher version', wholeNumber)
      .option('--limit <count>', 'at most so many', wholeNumber, 100)
      .action(async ({ store, format, kind, after, limit }: ListOptions) => {
        const filter = { limit, ...(after === undefined ? {} : { afterVersion: after }) }
        await showKeptEffects(store, which, kind, filter, format)
      })

  effects
    .command('recover')
    .description(
      'find rows without their effect, and dead effects without their row; changes nothing by itself',
    )
    .argument('<kind>')
    .addOption(databaseOption())
    .option('--missing <sql>', 'a SELECT of the rows that should have an effect and have none: key, payload')
    .option('--existing <sql>', 'a SELECT of the keys of all rows: dead effects of other keys are orphans')
    .option('--apply', 'enqueue what is missing, and discard orphans', false)
    .option('--limit <count>', 'at most so many of each', wholeNumber, 1_000)
    .action((kind: string, { store, ...settings }: RecoverOptions) =>
      recoverEffects(store, kind, { missing: undefined, existing: undefined, ...settings }),
    )

  for (const [how, description] of [
    ['redrive', 'have them tried again, after the cause was mended'],
    ['discard', 'delete them'],
  ] as const)
    effects
      .command(how)
      .description(description)
      .argument('<ids...>', 'ids of dead effects')
      .addOption(databaseOption())
      .action(async (ids: string[], options: { store: Database }) => {
        process.exitCode = await mendDeadEffects(options.store, how, ids)
      })

  for (const [how, description] of [
    ['pause', 'deliver no more of a kind, in any process, until it is resumed'],
    ['resume', 'deliver a kind again'],
  ] as const)
    effects
      .command(how)
      .description(description)
      .argument('<kind>')
      .addOption(databaseOption())
      .action((kind: string, options: { store: Database }) => setPaused(options.store, kind, how))
}
