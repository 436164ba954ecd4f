/**
 * What stands for the language model: rules, and the manners of a service that is far away. It takes its time, refuses what is
 * too much at once or in a second, fails now and then, and may be out altogether. The same text has the same answer.
 */
import type { Reply } from './redis.ts'

export interface ModelSettings {
  /** How long a call takes, in ms. */
  latencyMs: number
  /** Calls at once; more are refused. */
  parallel: number
  /** Calls begun in a second; more are refused. */
  perSecond: number
  /** Of calls, from 0 to 1. */
  failureShare: number
  /** It takes no call at all. */
  isOut: boolean
}

export const defaults: ModelSettings = {
  latencyMs: 200,
  parallel: 8,
  perSecond: 1_000,
  failureShare: 0,
  isOut: false,
}

const refusedForMs = 200
const mostTopics = 5
const common = new Set(
  'about after again also another because been before being between both could does down each every from have here into just like made make many more most much must only other over same should some such than that their them then there these they this those through under until very want well were what when where which while will with without would your'.split(
    ' ',
  ),
)

export class Model {
  readonly settings: ModelSettings
  readonly #random: () => number
  #running = 0
  #calls = 0
  #refused = 0
  #peak = 0
  #recent: number[] = []

  constructor(settings: Partial<ModelSettings> = {}, random: () => number = Math.random) {
    this.settings = { ...defaults, ...settings }
    this.#random = random
  }

  get calls(): number {
    return this.#calls
  }

  get refused(): number {
    return this.#refused
  }

  /** The most that ran at once. */
  get peak(): number {
    return this.#peak
  }

  async call(prompt: string): Promise<Reply> {
    const { latencyMs, parallel, perSecond, failureShare, isOut } = this.settings
    if (isOut) return { kind: 'out' }
    const nowMs = performance.now()
    this.#recent = this.#recent.filter((atMs) => atMs > nowMs - 1_000)
    if (this.#running >= parallel || this.#recent.length >= perSecond) {
      this.#refused++
      return { kind: 'refused', retryAfterMs: refusedForMs }
    }
    this.#recent.push(nowMs)
    this.#calls++
    this.#peak = Math.max(this.#peak, ++this.#running)
    try {
      await new Promise((done) => setTimeout(done, latencyMs * (0.75 + this.#random() / 2)))
      if (this.#random() < failureShare) return { kind: 'failed', error: 'the model lost its thread' }
      return { kind: 'done', summary: summaryOf(prompt), topics: topicsOf(prompt) }
    } finally {
      this.#running--
    }
  }
}

/** The first sentence that says something. */
function summaryOf(text: string): string {
  const sentences = text.split(/(?<=[.!?])\s+|\n+/).map((sentence) => sentence.trim())
  return (sentences.find((sentence) => sentence.split(' ').length >= 5) ?? sentences[0] ?? '')
    .slice(0, 300)
    .toWellFormed()
}

function topicsOf(text: string): string[] {
  const counts = new Map<string, number>()
  for (const [word] of text.toLowerCase().matchAll(/\p{L}{4,40}/gu))
    if (!common.has(word)) counts.set(word, (counts.get(word) ?? 0) + 1)
  return [...counts]
    .toSorted(([a, countA], [b, countB]) => countB - countA || (a < b ? -1 : 1))
    .slice(0, mostTopics)
    .map(([word]) => word)
}
