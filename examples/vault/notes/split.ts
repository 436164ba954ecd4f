/** A note in pieces: one a section, several where a section is long, and a heading itself where nothing stands below it. */

export interface Piece {
  readonly n: number
  /** The headings above it, outermost first, joined by ` › `. Empty before the first one. */
  readonly heading: string
  readonly text: string
  /** Where it begins, from 1. */
  readonly line: number
}

export interface SplitNote {
  readonly title: string | null
  readonly pieces: readonly Piece[]
}

/** The longest piece, in characters, its headings apart. */
const maxLength = 1_200

interface Section {
  readonly trail: readonly string[]
  /** Of its heading. */
  readonly headingLine: number
  readonly line: number
  readonly lines: string[]
}

/** Fenced code is no heading, whatever it looks like; YAML at the top is no text. */
export function splitNote(source: string): SplitNote {
  const sections = sectionsOf(source.split(/\r\n|\n|\r/))
  const pieces: Piece[] = []
  const add = (trail: readonly string[], text: string, line: number): void =>
    void pieces.push({ n: pieces.length, heading: trail.join(' › '), text, line })
  for (const [at, { trail, headingLine, line, lines }] of sections.entries()) {
    const parts = partsOf(lines)
    for (const part of parts) add(trail, part.text, line + part.offset)
    const isAlone = parts.length === 0 && (sections[at + 1]?.trail.length ?? 0) <= trail.length
    const title = trail.at(-1) ?? ''
    if (isAlone && title !== '') for (const text of cut(title)) add(trail.slice(0, -1), text, headingLine)
  }
  const title = sections.find(({ trail }) => trail.length > 0)?.trail.at(-1) ?? null
  return { title, pieces }
}

function sectionsOf(lines: readonly string[]): Section[] {
  const first = endOfFrontMatter(lines)
  const levels: { readonly level: number; readonly title: string }[] = []
  const sections: Section[] = [{ trail: [], headingLine: first + 1, line: first + 1, lines: [] }]
  let fence = ''
  for (let at = first; at < lines.length; at++) {
    const line = lines[at] ?? ''
    const current = sections.at(-1)?.lines
    fence = fenceBehind(line, fence)
    const heading = fence === '' ? headingAt(lines, at) : undefined
    if (heading === undefined) {
      current?.push(line)
      continue
    }
    while ((levels.at(-1)?.level ?? 0) >= heading.level) levels.pop()
    levels.push(heading)
    const trail = levels.map(({ title }) => title)
    sections.push({ trail, headingLine: at + 1, line: at + 1 + heading.lines, lines: [] })
    at += heading.lines - 1
  }
  return sections
}

function endOfFrontMatter(lines: readonly string[]): number {
  if (lines[0]?.replace(/^\uFEFF/, '') !== '---') return 0
  const end = lines.findIndex((line, at) => at > 0 && (line === '---' || line === '...'))
  return end < 0 ? 0 : end + 1
}

/** @returns the mark that ends the code which the text is in behind this line; empty where it is in none */
function fenceBehind(line: string, fence: string): string {
  const mark = /^ {0,3}(`{3,}|~{3,})/.exec(line)?.[1]
  if (mark === undefined) return fence
  if (fence === '') return mark
  return mark[0] === fence[0] && mark.length >= fence.length && line.trim() === mark ? '' : fence
}

function headingAt(
  lines: readonly string[],
  at: number,
): { readonly level: number; readonly title: string; readonly lines: number } | undefined {
  const line = lines[at] ?? ''
  const atx = /^ {0,3}(#{1,6})(?:[ \t]+(.*?))?(?:[ \t]+#+)?[ \t]*$/.exec(line)
  if (atx) return { level: atx[1]?.length ?? 1, title: plain(atx[2] ?? ''), lines: 1 }
  const under = /^ {0,3}(=+|-{2,})[ \t]*$/.exec(lines[at + 1] ?? '')
  const isText = /^ {0,3}[^\s>|*+\-#<]/.test(line)
  if (!under || !isText || (at > 0 && (lines[at - 1] ?? '').trim() !== '')) return undefined
  return { level: under[1]?.startsWith('=') ? 1 : 2, title: plain(line), lines: 2 }
}

/** A title as it is read: of a link its text, of a picture what stands for it. */
function plain(title: string): string {
  return title
    .replaceAll(/!?\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replaceAll(/[`*]/g, '')
    .trim()
}

/** Paragraphs together as long as they are short; one that is too long is cut between words. */
function partsOf(lines: readonly string[]): { readonly text: string; readonly offset: number }[] {
  const parts: { text: string; offset: number }[] = []
  let offset = 0
  let held: string[] = []
  let length = 0
  const flush = (next: number): void => {
    const text = held.join('\n').trim()
    const blank = held.findIndex((line) => line.trim() !== '')
    if (text !== '') parts.push(...cut(text).map((one) => ({ text: one, offset: offset + blank })))
    held = []
    length = 0
    offset = next
  }
  for (const [at, line] of lines.entries()) {
    const isEdge = line.trim() === '' && length > maxLength / 2
    if (length + line.length > maxLength || isEdge) flush(at)
    held.push(line)
    length += line.length + 1
  }
  flush(lines.length)
  return parts
}

function cut(text: string): string[] {
  const parts: string[] = []
  let rest = text
  while (rest.length > maxLength) {
    const space = rest.lastIndexOf(' ', maxLength)
    let end = space > maxLength / 2 ? space : maxLength
    // Half of a character is none.
    if (/[\uD800-\uDBFF]/.test(rest[end - 1] ?? '')) end--
    parts.push(rest.slice(0, end).trim())
    rest = rest.slice(end).trim()
  }
  return rest === '' ? parts : [...parts, rest]
}
