/** The follower killed again and again, while a writer goes on and rotates its file: no line twice, none missing. */
import { appendFileSync, existsSync, renameSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as tick } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { temporaryFolder } from '../support/database-file.ts'
import { expectNumbers, Follower, numbersIn, upTo } from './followed.ts'
import { linesOf } from './inputs.ts'

const name = 'app.ndjson'
const lineCount = 4_000
const linesInFile = 700
const kills = 6
const paceMs = 8

/** Moves the file away, when it has been rotated so many times before. */
type Rotate = (file: string, before: number) => void

const rotations: [string, Rotate][] = [
  ['app.ndjson.1, which becomes .2 the next time', shift],
  ['a name with a date', (file, before) => renameSync(file, `${file}-202601${10 + before}`)],
]

test.each(rotations)(
  'killed at random moments, rotated to %s: no line twice, none missing',
  async (_, rotate) => {
    const folder = temporaryFolder()
    const file = path.join(folder, name)
    // What was rotated before it was followed for the first time is no concern of the follower.
    appendFileSync(file, linesOf('ndjson', 1, 10))
    const first = new Follower(folder, name)
    await first.wrote(10)
    await first.command.kill()
    const writing = write(file, rotate)
    const moments: number[] = []
    for (let kill = 0; kill < kills; kill++) {
      const follower = new Follower(folder, name)
      const before = numbersIn(folder, name).length
      const goal = Math.min(before + Math.random() * (lineCount / kills), lineCount)
      await follower.command.reached(`wrote row ${goal}`, () => numbersIn(folder, name).length >= goal)
      await follower.command.kill()
      moments.push(numbersIn(folder, name).length)
    }
    await writing
    const last = new Follower(folder, name)
    appendFileSync(file, linesOf('ndjson', lineCount + 1, lineCount + 1))
    await last.command.reached('wrote all', () => numbersIn(folder, name).length > lineCount)
    await last.stop()

    expectNumbers(folder, name, upTo(lineCount + 1))
    expect(
      moments.filter((moment) => moment < lineCount).length,
      `killed at ${moments.join(', ')}`,
    ).toBeGreaterThan(2)
  },
)

/** Lines up to `lineCount`, a few at a time, often in two pieces, at a pace at which the follower is neither far behind nor idle. */
async function write(file: string, rotate: Rotate): Promise<void> {
  let rotated = 0
  for (let n = 11; n <= lineCount; n += 10) {
    const text = linesOf('ndjson', n, n + 9)
    const cut = Math.floor(Math.random() * text.length)
    appendFileSync(file, text.slice(0, cut))
    await tick(paceMs)
    appendFileSync(file, text.slice(cut))
    if ((n + 9) % linesInFile !== 0) continue
    rotate(file, rotated++)
    // For a moment there is no file.
    await tick(1)
  }
}

function shift(file: string): void {
  for (let n = 9; n > 0; n--) if (existsSync(`${file}.${n}`)) renameSync(`${file}.${n}`, `${file}.${n + 1}`)
  renameSync(file, `${file}.1`)
}
