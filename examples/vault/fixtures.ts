/** Notes of made-up words, and what people do to them. */
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'

const words =
  'amber brook cedar dawn ember fjord grove harbour inlet juniper kelp lantern meadow north orchard pebble quarry river stone tide under valley willow yarrow zenith'.split(
    ' ',
  )

export function noteText(random: () => number): string {
  const sections = 1 + Math.floor(random() * 4)
  const lines = [`# ${sentence(3, random)}`, '']
  for (let n = 0; n < sections; n++)
    lines.push(`## ${sentence(2, random)}`, '', sentence(10 + Math.floor(random() * 40), random), '')
  return lines.join('\n')
}

export class Notes {
  readonly #folder: string
  readonly #random: () => number
  readonly #paths: string[] = []
  #next = 0

  constructor(folder: string, random: () => number) {
    this.#folder = folder
    this.#random = random
    mkdirSync(folder, { recursive: true })
  }

  get paths(): readonly string[] {
    return this.#paths
  }

  add(): string {
    const note = `${this.#next % 5 === 0 ? '' : `part-${this.#next % 7}/`}note-${this.#next++}.md`
    mkdirSync(path.dirname(this.#file(note)), { recursive: true })
    writeFileSync(this.#file(note), noteText(this.#random))
    this.#paths.push(note)
    return note
  }

  /** Something that people, editors and synchronization do. */
  disturb(): void {
    const at = Math.floor(this.#random() * this.#paths.length)
    const note = this.#paths[at]
    if (note === undefined) return void this.add()
    const file = this.#file(note)
    const what = this.#random()
    if (what < 0.35) writeFileSync(file, noteText(this.#random))
    else if (what < 0.6) {
      // As editors do: a new file in the place of the old one.
      writeFileSync(`${file}.tmp`, noteText(this.#random))
      renameSync(`${file}.tmp`, file)
    } else if (what < 0.75) {
      const renamed = note.replace(/(-\d+)?\.md$/, `-${this.#next++}.md`)
      renameSync(file, this.#file(renamed))
      this.#paths[at] = renamed
    } else if (what < 0.88) {
      rmSync(file)
      this.#paths.splice(at, 1)
    } else this.add()
  }

  #file(note: string): string {
    return path.join(this.#folder, note)
  }
}

function sentence(length: number, random: () => number): string {
  return Array.from({ length }, () => words[Math.floor(random() * words.length)]).join(' ')
}
