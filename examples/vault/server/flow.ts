/** What the page is told: how many notes stand where, which have just moved, and what is wrong. Ten times a second at most. */
import type { ServerResponse } from 'node:http'
import type { Move } from '../pipeline/index.ts'
import type { Vault } from '../pipeline/vault.ts'

export interface FlowNews {
  readonly folder: string
  readonly counts: Readonly<
    Record<'seen' | 'written' | 'embedding' | 'searchable' | 'refused' | 'failed', number>
  >
  readonly moves: readonly Move[]
  /** Left out, since there were too many. */
  readonly skipped: number
  readonly notices: readonly { readonly text: string; readonly atMs: number }[]
  /** From seen to searchable, of the last hundred, in ms. */
  readonly medianMs: number | null
  readonly problems: readonly { readonly path: string; readonly problem: string }[]
}

const everyMs = 100
const mostMoves = 60
const mostProblems = 50
const mostNotices = 20

export class Flow {
  readonly #vault: Vault
  readonly #readers = new Set<ServerResponse>()
  readonly #seenMs = new Map<string, number>()
  readonly #tookMs: number[] = []
  #moves: Move[] = []
  #recent: Move[] = []
  #skipped = 0
  #notices: { text: string; atMs: number }[] = []
  #isChanged = true
  #last = ''
  readonly #timer: NodeJS.Timeout
  readonly #end: () => void

  constructor(vault: Vault) {
    this.#vault = vault
    this.#end = vault.index.follow((move) => this.#note(move))
    this.#timer = setInterval(() => this.#tell(), everyMs)
    this.#timer.unref()
  }

  notice(text: string): void {
    this.#notices = [...this.#notices, { text, atMs: Date.now() }].slice(-mostNotices)
    this.#isChanged = true
  }

  /** Server-sent events, the first at once. */
  stream(response: ServerResponse): void {
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
    this.#readers.add(response)
    response.on('close', () => this.#readers.delete(response))
    response.write(event({ ...this.#news(), moves: this.#recent, skipped: 0 }))
  }

  close(): void {
    clearInterval(this.#timer)
    this.#end()
    for (const reader of this.#readers) reader.end()
  }

  #note(move: Move): void {
    this.#isChanged = true
    if (move.stage === 'seen' && !this.#seenMs.has(move.path)) this.#seenMs.set(move.path, move.atMs)
    if (move.stage === 'searchable' || move.stage === 'gone' || move.stage === 'refused') {
      const seenMs = this.#seenMs.get(move.path)
      this.#seenMs.delete(move.path)
      if (seenMs !== undefined && move.stage === 'searchable') this.#tookMs.push(move.atMs - seenMs)
      if (this.#tookMs.length > 100) this.#tookMs.shift()
    }
    if (this.#moves.length < mostMoves) this.#moves.push(move)
    else this.#skipped++
  }

  #tell(): void {
    if (this.#readers.size === 0) {
      this.#keep()
      return
    }
    const { counts } = this.#vault.index
    const now = JSON.stringify([counts, this.#vault.looks.size])
    if (!this.#isChanged && now === this.#last) return
    this.#last = now
    const text = event(this.#news())
    this.#keep()
    for (const reader of this.#readers) if (reader.writableLength < 1_000_000) reader.write(text)
  }

  #keep(): void {
    this.#recent = [...this.#recent, ...this.#moves].slice(-mostMoves)
    this.#moves = []
    this.#skipped = 0
    this.#isChanged = false
  }

  #news(): FlowNews {
    const { index, looks, folder } = this.#vault
    const { accepted, written, embedding, searchable, refused, failed } = index.counts
    const problems = index.at('refused', 'failed').slice(0, mostProblems)
    const took = this.#tookMs.toSorted((a, b) => a - b)
    return {
      folder,
      counts: { seen: looks.size + accepted, written, embedding, searchable, refused, failed },
      moves: this.#moves,
      skipped: this.#skipped,
      notices: this.#notices,
      medianMs: took[Math.floor(took.length / 2)] ?? null,
      problems: problems.map(({ path, entry }) => ({ path, problem: entry.problem ?? '' })),
    }
  }
}

function event(news: FlowNews): string {
  return `data: ${JSON.stringify(news)}\n\n`
}
