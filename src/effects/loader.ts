/**
 * Loads what is new in the outbox into the window of a lane.
 *
 * Keeps: law 8 (nothing is loaded before it survives a power loss, none is passed over, and those of one key come in their
 * order), law 7 (it stops when the window is full).
 *
 * How it could break: a segment of an epoch taken before an earlier one would count as all up to it, so each look is one
 * snapshot and goes on behind what was seen of that epoch; one of its own taken before one of another epoch that it
 * follows from would be out of order, so each look is for all epochs. What a look found and was not loaded would be passed
 * over by the next, so that is told what is loaded, and begins when all of it is; one that failed is begun anew.
 */
import type { Epoch } from '../contracts/position.ts'
import { decodeSegment, type SegmentItem } from '../segments.ts'
import type { EffectsHost } from './host.ts'
import { itemMaker, laneOf, type SegmentRow } from './item.ts'
import type { Condition } from './lease.ts'
import { readContents, readHeads, type SegmentHead } from './outbox.ts'
import { isFinished, isPast, type Progress } from './progress.ts'
import type { Window } from './window.ts'

/** So many epochs are told apart when it is looked for new segments. */
const epochsSeen = 32

type Asked = Pick<EffectsHost, 'epoch' | 'runtime' | 'ask' | 'durable'>

interface LoadedLane {
  readonly number: number
  /** What is committed. */
  readonly progress: Progress
  readonly isOver: boolean
  /** There is more in the window. */
  loaded(): void
}

type Contents = readonly (SegmentRow | undefined)[]

/** What there was at one moment that is not all loaded. */
interface Look {
  readonly heads: readonly SegmentHead[]
  readonly durable: Promise<void>
  readonly contents: AsyncIterator<Contents, undefined>
  /** Read while those before it are delivered. */
  ahead: Promise<IteratorResult<Contents, undefined>>
}

export class Loader {
  readonly #host: Asked
  readonly #kind: string
  readonly #lanes: number
  readonly #window: Window
  readonly #isHeld: Condition
  readonly #lane: LoadedLane
  /** Of each epoch, the highest segment that is loaded or was finished before, and where that ends. */
  readonly #seen = new Map<Epoch, Pick<SegmentHead, 'id' | 'end'>>()
  #look: Look | undefined

  constructor(host: Asked, kind: string, lanes: number, window: Window, isHeld: Condition, lane: LoadedLane) {
    this.#host = host
    this.#kind = kind
    this.#lanes = lanes
    this.#window = window
    this.#isHeld = isHeld
    this.#lane = lane
  }

  /**
   * Of each epoch in the order of its commits, which is that of its numbers; and behind what they follow from in other
   * epochs, since whoever changes a row that another has changed draws the higher number once that is committed.
   *
   * @returns false when the lane is another's by now
   */
  async load(): Promise<boolean> {
    try {
      while (!this.#window.isFull && !this.#lane.isOver) {
        const look = (this.#look ??= await this.#newLook())
        if (look === undefined) return true
        const { value: segments } = await look.ahead
        if (segments === undefined) {
          for (const { epoch, id, end } of look.heads) this.#seen.set(epoch, { id, end })
          this.#look = undefined
          continue
        }
        await look.durable
        // Without this lane nobody could have passed one: somebody else has it by now.
        if (segments.includes(undefined)) return false
        look.ahead = readAhead(look.contents)
        for (const segment of segments) this.#loadSegment(segment as SegmentRow)
        this.#lane.loaded()
      }
      return true
    } catch (error) {
      // What of it is loaded is seen: the next goes on behind that.
      this.#look = undefined
      throw error
    }
  }

  /** @returns undefined when there is nothing new */
  async #newLook(): Promise<Look | undefined> {
    const seen = new Map([...this.#seen].map(([of, { id }]) => [of, id]))
    const heads = await readHeads(this.#host, this.#kind, 0, seen, this.#isHeld)
    if (heads.length === 0) return undefined
    // What they hold is read while they are synced.
    const durable = heads.every(({ isDurable }) => isDurable) ? Promise.resolve() : this.#host.durable()
    durable.catch(() => undefined)
    const wanted = heads.filter(({ end }) => !isPast(this.#lane.progress, end))
    const contents = readContents(this.#host, wanted)
    return { heads, durable, contents, ahead: readAhead(contents) }
  }

  /** What was seen of epochs that are over: read again, it is found to be finished. */
  forget(): void {
    if (this.#seen.size < epochsSeen) return
    for (const [epoch, { end }] of this.#seen)
      if (epoch !== this.#host.epoch && isPast(this.#lane.progress, end)) this.#seen.delete(epoch)
  }

  #loadSegment(segment: SegmentRow): void {
    const { epoch, id, end } = segment
    this.#seen.set(epoch, { id, end })
    const nowMs = this.#host.runtime.wallMs()
    const contents = decodeSegment(segment.content)
    const length = Math.ceil(segment.content.length / contents.length)
    const { progress, number } = this.#lane
    const isBegun = progress.has(epoch)
    const newItem = itemMaker(this.#kind, segment)
    for (let index = 0; index < contents.length; index++) {
      const content = contents[index] as SegmentItem
      if (laneOf(content, this.#lanes) !== number) continue
      const item = newItem(index, content)
      this.#window.load(item, isBegun && isFinished(progress, item), nowMs, length)
    }
    this.#window.endSegment(end)
  }
}

function readAhead(contents: Look['contents']): Look['ahead'] {
  const ahead = contents.next()
  // Whoever takes it meets the error.
  ahead.catch(() => undefined)
  return ahead
}
