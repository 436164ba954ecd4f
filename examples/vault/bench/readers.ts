/**
 * Whether readers are as fast beside batches as beside writes that are awaited one by one: the same number of writes a second,
 * sixteen readers of single rows, and turns of both ways, so that what else the machine does meets both.
 */
import { mkdirSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import type { Metadata } from '../metadata/metadata.ts'
import { openMetadata } from '../metadata/open.ts'
import type { FileRow } from '../metadata/tables.ts'
import { seeded } from '../seeded.ts'

const files = 2_000
const writesPerSecond = 500
const turns = 41
const turnMs = 500
const readers = 16

export async function measureReaders({
  folder,
  say,
}: {
  readonly folder: string
  readonly say: (line: string) => void
}): Promise<void> {
  const on = await open(path.join(folder, 'on'), 5, 1_000)
  const off = await open(path.join(folder, 'off'), 0, 1)
  try {
    const ratios: number[] = []
    const rates = { on: [] as number[], off: [] as number[] }
    for (let turn = 0; turn < turns; turn++) {
      const isOnFirst = turn % 2 === 0
      const first = await readsPerSecond(isOnFirst ? on : off, isOnFirst)
      const second = await readsPerSecond(isOnFirst ? off : on, !isOnFirst)
      const [batched, single] = isOnFirst ? [first, second] : [second, first]
      rates.on.push(batched)
      rates.off.push(single)
      // The first warms up.
      if (turn > 0) ratios.push(batched / single)
    }
    ratios.sort((a, b) => a - b)
    const median = (all: number[]): number => all.toSorted((a, b) => a - b)[all.length >> 1] ?? 0
    say(
      `${readers} readers beside ${writesPerSecond} writes/s: ${Math.round(median(rates.on))} reads/s with batches, ${Math.round(median(rates.off))} with writes awaited one by one`,
    )
    say(
      `ratio of turns: median ${median(ratios).toFixed(3)} (${ratios[0]?.toFixed(3)} to ${ratios.at(-1)?.toFixed(3)})`,
    )
  } finally {
    await on.db.close()
    await off.db.close()
  }
}

async function open(folder: string, lingerMs: number, maxOperations: number): Promise<Metadata> {
  mkdirSync(folder, { recursive: true })
  const metadata = await openMetadata({ kind: 'sqlite', folder }, { batch: { lingerMs, maxOperations } })
  for (let n = 0; n < files; n++) metadata.db.upsert('files', rowOf(n, 0))
  await metadata.db.flush()
  return metadata
}

async function readsPerSecond(metadata: Metadata, isBatched: boolean): Promise<number> {
  const random = seeded(1)
  const end = performance.now() + turnMs
  let reads = 0
  const reader = async (): Promise<void> => {
    while (performance.now() < end) {
      await metadata.file(pathOf(Math.floor(random() * files)), { consistency: 'eventual' })
      reads++
    }
  }
  const writer = async (): Promise<void> => {
    const since = performance.now()
    for (let n = 0; performance.now() < end; n++) {
      const receipt = metadata.db.upsert('files', rowOf(n % files, n))
      if (!isBatched) await receipt
      const aheadMs = (n * 1_000) / writesPerSecond - (performance.now() - since)
      if (aheadMs > 2) await wait(aheadMs)
    }
  }
  await Promise.all([writer(), ...Array.from({ length: readers }, reader)])
  return (reads * 1_000) / turnMs
}

function pathOf(n: number): string {
  return `note-${n}.md`
}

function rowOf(n: number, revision: number): FileRow {
  const row = {
    path: pathOf(n),
    stamp: '',
    hash: `${n}`,
    revision: `${revision}`,
    title: 'A note',
    size: 1_000,
  }
  return { ...row, pieces: 3, state: 'searchable', problem: null, seen_ms: 0, searchable_ms: null }
}
