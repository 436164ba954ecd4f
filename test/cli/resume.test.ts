/** An ingest that is stopped anywhere and run again: no line twice, none missing. */
import { expect, test } from 'vitest'
import { temporaryFolder } from '../support/database-file.ts'
import { Command, succeed } from './command.ts'
import { expectLines, Onlooker, tableOf, writeInput } from './inputs.ts'

const lineCount = 80_000
/** A run that is not killed before comes to its end, so there are at most as many. */
const maxKills = 4

for (const name of ['app.ndjson', 'app.log.gz', 'rows.csv']) {
  test(`laws 2, 3 · ${name} killed again and again at random moments: no line twice, none missing`, async () => {
    const folder = temporaryFolder()
    writeInput(folder, name, lineCount)
    const { table } = tableOf(name)
    const moments: number[] = []
    let isThrough = false
    while (!isThrough && moments.length < maxKills) {
      const command = new Command(folder, ['ingest', name])
      using onlooker = new Onlooker(folder)
      const before = onlooker.count(table)
      const goal = before + Math.random() * ((lineCount - before) / 2)
      await command.reached(`wrote row ${goal}`, () => command.hasEnded || onlooker.count(table) > goal)
      const { signal } = await command.kill()
      isThrough = signal === null
      if (!isThrough) moments.push(onlooker.count(table))
    }
    const last = await succeed(folder, 'ingest', name)

    expect(
      moments.some((moment) => moment > 0 && moment < lineCount),
      `killed at ${moments.join(', ')}`,
    ).toBe(true)
    if (!isThrough) expect(last).toContain('went on behind line ')
    expectLines(folder, name, lineCount)
  })
}
