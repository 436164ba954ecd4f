/** What a heading says of itself: "CHAPTER IV. The Rabbit Sends in a Little Bill" is a chapter, 4, and has a title. */
import { numeral, parseNumber } from './numbers.ts'

export interface Label {
  /** What it is, where it says so: `chapter`, `book`, … */
  readonly word: string | undefined
  readonly number: number | undefined
  /** Empty where there is none. */
  readonly title: string
}

/** Words that begin a heading, the largest parts first: their order is their level. */
const ranks: readonly (readonly string[])[] = [
  ['volume', 'vol', 'part'],
  ['book', 'act', 'actus', 'canto'],
  ['chapter', 'chap', 'letter', 'stave', 'scene', 'scena', 'scoena', 'scaena', 'section'],
]
const partWords = ranks.flat()
const named = new RegExp(
  `^\\[?(${partWords.join('|')})\\.?\\s+(?:the\\s+)?(${numeral})(?:\\b[.:,;)\\]]*|$)[-—.:\\s]*(.*?)\\]?$`,
  'i',
)
/** Small letters are no numerals here: "i" and "mix" begin sentences. */
const numbered = /^(\d{1,3}|[IVXLC]{1,8})(?:[.:)]+\s+(.*)|[.:)]?)$/

/** Headings of parts that have no number, by what they are. */
const front =
  /^(?:the )?(preface|introduction|introductory|foreword|prologue|dedication|etymology|extracts|to the reader|advertisement|editor's note|acknowledgements?)\b/i
const back =
  /^(?:the )?(epilogue|afterword|appendix|glossary|index|conclusion|postscript|bibliography|addenda|errata)\b/i
const notes = /^(?:the )?(foot ?notes?|notes?|endnotes)\b/i

export function parseLabel(line: string): Label | undefined {
  const text = squeeze(line)
  const full = named.exec(text)
  if (full) {
    const [, word = '', count = '', title = ''] = full
    const number = parseNumber(count)
    if (number !== undefined) return { word: word.toLowerCase(), number, title: withoutPage(title) }
  }
  const bare = numbered.exec(text)
  if (bare) {
    const number = parseNumber(bare[1] ?? '')
    if (number !== undefined) return { word: undefined, number, title: withoutPage(bare[2] ?? '') }
  }
  return undefined
}

/** Front matter, back matter or notes, where the title says so. */
export function matterOf(title: string): 'front' | 'back' | 'notes' | undefined {
  const text = squeeze(title)
  if (notes.test(text)) return 'notes'
  if (front.test(text)) return 'front'
  return back.test(text) ? 'back' : undefined
}

/** 1 for the largest parts. What has no word of its own is as deep as a chapter. */
export function rankOf(word: string | undefined): number {
  const rank = ranks.findIndex((names) => word !== undefined && names.includes(word))
  return rank === -1 ? ranks.length : rank + 1
}

/** As it is compared: without marks, spaces and letter case. */
export function plain(text: string): string {
  return text
    .normalize('NFKD')
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}]+/gu, ' ')
    .trim()
}

export function squeeze(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim()
}

/** "The Pool of Tears . . . . 15" without its dots and page. */
export function withoutPage(title: string): string {
  return title
    .replace(/(?:\s*\.){2,}\s*(?:\d{1,4}|[ivxlc]{1,7})?\s*$/, '')
    .replace(/\s{3,}\d{1,4}\s*$/, '')
    .replace(/\s+\d{1,4}$/, '')
    .trim()
}
