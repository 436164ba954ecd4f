/** What is pending for one file, while that many others are pending. */
import { mkdirSync } from 'node:fs'
import { openMetadata } from '../metadata/open.ts'
import type { FileRow } from '../metadata/tables.ts'

const counts = [100, 10_000, 100_000]
const lookups = 100_000
const rounds = 9

export async function measurePending({
  folder,
  say,
}: {
  readonly folder: string
  readonly say: (line: string) => void
}): Promise<void> {
  mkdirSync(folder, { recursive: true })
  const { db } = await openMetadata(
    { kind: 'sqlite', folder },
    // Nothing is committed meanwhile: they all stay pending.
    {
      queue: { maxOperations: 500_000, maxBytes: 2 ** 31 },
      batch: { lingerMs: 3_600_000, maxOperations: 125_000, maxBytes: 2 ** 30 },
    },
  )
  try {
    let held = 0
    let bytes = memory()
    for (const count of counts) {
      const before = held
      for (; held < count; held++) db.upsert('files', rowOf(held))
      const now = memory()
      const perFile = (now - bytes) / (held - before)
      bytes = now
      // Of a hundred of them, which stay in the processor's caches; of all; and what a plain `Map` takes for all.
      const keys = Array.from({ length: count }, (_, n) => ({ path: pathOf(n) }))
      const map = new Map(keys.map((key) => [key.path, key]))
      const few = timed((n) => db.pending('files', keys[n % 100] as { path: string }))
      const any = timed((n) => db.pending('files', keys[(n * 7_919) % count] as { path: string }))
      const plain = timed((n) => map.get((keys[(n * 7_919) % count] as { path: string }).path))
      say(
        `${count.toLocaleString('en')} pending: ${few} µs a lookup of a hundred of them, ${any} of any, ${plain} in a plain Map of as many${perFile > 0 ? `; about ${Math.round(perFile)} bytes a file` : ''}`,
      )
      bytes = memory()
    }
  } finally {
    await db.close()
  }
}

/** The median of the rounds, in µs a lookup. */
function timed(look: (n: number) => unknown): string {
  const times: number[] = []
  for (let round = 0; round < rounds; round++) {
    const since = performance.now()
    let found = 0
    for (let n = 0; n < lookups; n++) if (look(n) !== undefined) found++
    times.push(((performance.now() - since) * 1_000) / lookups)
    if (found !== lookups) throw new Error(`${lookups - found} files were not pending`)
  }
  return (times.toSorted((a, b) => a - b)[rounds >> 1] ?? 0).toFixed(2)
}

function memory(): number {
  globalThis.gc?.()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

function pathOf(n: number): string {
  return `folder-${n % 100}/note-${n}.md`
}

function rowOf(n: number): FileRow {
  const row = { path: pathOf(n), stamp: `${n}`, hash: `${n}`, revision: `${n}`, title: 'A note', size: 1_000 }
  return { ...row, pieces: 3, state: 'written', problem: null, seen_ms: 0, searchable_ms: null }
}
