/** From a save, as an editor makes it, until the note is searchable: with the watcher's own events. */
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import type { Embedder } from '../embed/embedder.ts'
import type { StoreKind } from '../metadata/metadata.ts'
import { Notes, noteText } from '../fixtures.ts'
import { Vault } from '../pipeline/vault.ts'
import { seeded } from '../seeded.ts'

const notes = 300
const saves = 100

export async function measureSaves({
  folder,
  store,
  embedder,
  say,
}: {
  readonly folder: string
  readonly store: StoreKind
  readonly embedder: Embedder
  readonly say: (line: string) => void
}): Promise<void> {
  const random = seeded(1)
  const made = new Notes(folder, random)
  for (let n = 0; n < notes; n++) made.add()
  const vault = await Vault.open({ folder, store, embedder })
  try {
    await vault.watch()
    await vault.settled()
    const took: number[] = []
    for (let n = 0; n < saves; n++) {
      const note = made.paths[Math.floor(random() * notes)] as string
      const searchable = Promise.withResolvers<void>()
      const end = vault.index.follow(({ path: moved, stage }) => {
        if (moved === note && stage === 'searchable') searchable.resolve()
      })
      const since = performance.now()
      writeFileSync(path.join(folder, note), noteText(random))
      await searchable.promise
      took.push(performance.now() - since)
      end()
    }
    took.sort((a, b) => a - b)
    const at = (share: number): string => `${(took[Math.floor(share * saves)] ?? 0).toFixed(0)} ms`
    say(
      `${saves} saves into ${notes} notes, from the save to searchable: p50 ${at(0.5)}, p95 ${at(0.95)}, longest ${at(0.999)}`,
    )
  } finally {
    await vault.close()
  }
}
