import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { systemRuntime } from '../../runtime/system.ts'
import { LogWatch } from './log-watch.ts'

/** A watched log, and the kinds that were told of. */
function watched(): { readonly log: string; readonly told: string[]; readonly watch: LogWatch } {
  const folder = mkdtempSync(path.join(tmpdir(), 'tidemark-log-watch-'))
  const log = path.join(folder, 'app.db-wal')
  writeFileSync(log, '')
  const told: string[] = []
  const watch = new LogWatch(log, systemRuntime, (kind) => told.push(kind))
  onTestFinished(() => {
    watch.close()
    rmSync(folder, { recursive: true })
  })
  return { log, told, watch }
}

async function toldOf(told: readonly string[], before: number): Promise<void> {
  while (told.length === before) await delay(1)
}

test('law 7 · while the log changes all the time it is told of ever less often, and then of the last change', async () => {
  const { log, told, watch } = watched()
  watch.hear('embed', 60_000)
  const startedMs = performance.now()
  let changes = 0
  for (; changes < 300; changes++) {
    appendFileSync(log, 'x')
    await delay(1)
  }
  const elapsedMs = performance.now() - startedMs
  expect(told.length).toBeGreaterThan(0)
  // Twice for each pause, of which four are shorter; twice as often where this process is held up for long enough.
  expect(told.length).toBeLessThan(10 + (4 * elapsedMs) / 10)
  await delay(50)
  const before = told.length
  appendFileSync(log, 'x')
  await toldOf(told, before)
  expect(new Set(told)).toEqual(new Set(['embed']))
})

test('law 7 · when nobody wants to hear any more, one change ends the watch, and who asks again hears again', async () => {
  const { log, told, watch } = watched()
  watch.hear('embed', 50)
  appendFileSync(log, 'x')
  await toldOf(told, 0)
  await delay(100)
  appendFileSync(log, 'x')
  await delay(50)
  const before = told.length
  appendFileSync(log, 'x')
  await delay(50)
  expect(told).toHaveLength(before)
  watch.hear('index', 60_000)
  appendFileSync(log, 'x')
  await toldOf(told, before)
  expect(told.at(-1)).toBe('index')
})
