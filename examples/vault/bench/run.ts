/** `npm run vault -- bench`: what the README says, measured. Each thing by itself, in folders that are gone afterwards. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { Embedder } from '../embed/embedder.ts'
import type { StoreKind } from '../metadata/metadata.ts'
import { embedderNamed } from '../place.ts'
import { measureImport } from './import.ts'
import { measurePending } from './pending.ts'
import { measureReaders } from './readers.ts'
import { measureSaves } from './save.ts'

export interface BenchOptions {
  readonly what: readonly string[]
  /** Where Markdown is looked for. Default: where this project's packages are. */
  readonly corpus: string | undefined
  readonly files: number
  readonly embedder: string
  readonly naiveEmbedder: string
  /** Of the naive loop, so many pieces are embedded; the rest is reckoned. 0: all. */
  readonly naivePieces: number
  readonly forget: boolean
  readonly side: string | undefined
  readonly store: StoreKind
  readonly json: boolean
}

const all = ['import', 'save', 'pending', 'readers']

export async function bench(options: BenchOptions): Promise<number> {
  const wanted = options.what.length > 0 ? options.what : all
  const unknown = wanted.find((one) => !all.includes(one))
  if (unknown !== undefined) throw new Error(`There is no "${unknown}" to measure: ${all.join(', ')}.`)
  const { side } = options
  if (side !== undefined && side !== 'vault' && side !== 'usual')
    throw new Error(`--side is vault or usual, not "${side}".`)
  const place = mkdtempSync(path.join(tmpdir(), 'tidemark-vault-bench-'))
  const say = (line: string): void => console.log(line)
  try {
    for (const one of wanted) {
      say(`== ${one}`)
      const folder = path.join(place, one)
      const embedder = (): Embedder => embedderNamed(options.embedder)
      const naiveEmbedder = (): Embedder => embedderNamed(options.naiveEmbedder, 1)
      if (one === 'import') await measureImport({ ...options, side, folder, embedder, naiveEmbedder, say })
      else if (one === 'save') await measureSaves({ folder, store: options.store, embedder: embedder(), say })
      else if (one === 'pending') await measurePending({ folder, say })
      else await measureReaders({ folder, say })
    }
    return 0
  } finally {
    rmSync(place, { recursive: true, force: true })
  }
}
