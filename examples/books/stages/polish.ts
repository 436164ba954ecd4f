/** The text of each chapter as one would read it: lines joined, hyphens closed, marks of the file taken away. */
import { hashOf } from '../text/hash.ts'
import type { Change, Stage } from './stage.ts'

export const polish: Stage = {
  name: 'polish',
  *work(text, { chapters }): Iterable<Change> {
    for (const { n, start, end } of chapters) {
      const clean = polishText(text.slice(start, end))
      yield { table: 'chapters', n, set: { text: clean, text_hash: hashOf(clean) } }
    }
  },
}

/** Pages and pictures: what is about the printed book, not of it. */
const marks = [
  /\[(?:page|pg|p)\.? ?\d+\]/gi,
  /\{\d{1,4}\}/g,
  /\[illustration(?::[^\]]*)?\]/gi,
  /^[ \t]*(?:-\s*)?\d{1,4}(?:\s*-)?[ \t]*$/gm,
  /^[ \t]*(?:\*[ \t]*){3,}$/gm,
]

export function polishText(raw: string): string {
  let text = raw
  for (const mark of marks) text = text.replaceAll(mark, '')
  const known = wordsOf(text)
  return text
    .split(/\n[ \t]*(?:\n[ \t]*)+/)
    .map((paragraph) => polishParagraph(paragraph, known))
    .filter((paragraph) => paragraph !== '')
    .join('\n\n')
}

function polishParagraph(paragraph: string, known: ReadonlySet<string>): string {
  const lines = paragraph.split('\n').filter((line) => line.trim() !== '')
  const joined = isVerse(lines)
    ? lines.map((line) => line.replace(/\s+$/, '').replaceAll(/(\S) {2,}/g, '$1 ')).join('\n')
    : joinLines(lines, known)
  return (
    joined
      // Underscores are italics; one pair may span what were lines.
      .replaceAll(/(?<![\p{L}\p{N}])_([^_]+)_(?![\p{L}\p{N}])/gu, '*$1*')
      .replaceAll(/(?<!-)--(?!-)/g, '—')
  )
}

/** Prose fills its lines and goes on in small letters; verse begins each anew, or stands away from the margin. */
function isVerse(lines: readonly string[]): boolean {
  if (lines.length < 2) return /^\s{4,}/.test(lines[0] ?? '')
  const filled = lines.slice(0, -1).filter((line) => line.trimEnd().length >= 52).length
  const indented = lines.filter((line) => /^\s{2,}/.test(line)).length
  const anew = lines.slice(1).filter((line) => /^\s{2,}|^\s*[^\p{L}\s]*\p{Lu}/u.test(line)).length
  const most = (lines.length - 1) / 2
  return indented > most || (filled < most && anew > most)
}

function joinLines(lines: readonly string[], known: ReadonlySet<string>): string {
  const joined: string[] = []
  for (const line of lines) {
    const text = line.trim().replaceAll(/\s+/g, ' ')
    const last = joined.at(-1) ?? ''
    const broken = /(\p{L}+)-$/u.exec(last)?.[1]
    const rest = /^\p{Ll}+/u.exec(text)?.[0]
    const isWord = broken !== undefined && rest !== undefined
    if (isWord && known.has(`${broken}${rest}`.toLowerCase())) joined[joined.length - 1] = last.slice(0, -1)
    else if (last !== '' && !isWord && !last.endsWith('--') && !text.startsWith('--')) joined.push(' ')
    joined.push(text)
  }
  return joined.join('')
}

/** A word broken at the end of a line is joined if it stands elsewhere unbroken; else its hyphen is its own. */
function wordsOf(text: string): ReadonlySet<string> {
  return new Set(text.toLowerCase().match(/\p{L}+/gu))
}
