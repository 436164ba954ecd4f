/** Documents of made-up words, each with some of its own: the same number has the same document. */
import { seeded } from './seeded.ts'

const words =
  'amber brook cedar dawn ember fjord grove harbour inlet juniper kelp lantern meadow north orchard pebble quarry river stone tide under valley willow yarrow zenith'.split(
    ' ',
  )
const people = ['Ada Lovelace', 'Grace Hopper', 'Alan Turing', 'Mary Shelley', 'Isaac Newton', 'Marie Curie']
const places = ['Paris', 'London', 'Berlin', 'Tokyo', 'Chicago', 'Madrid']
const syllables = 'ba ce di fo gu ha je ki lo mu na pe ri so tu va we xi yo zu'.split(' ')

export interface Made {
  readonly title: string
  /** Words that are in no other document. */
  readonly own: string
  readonly sentences: readonly string[]
}

export function madeDocument(seed: number, n: number): Made {
  const random = seeded(seed * 1_000_003 + n)
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T
  const own = Array.from({ length: 6 }, (_, at) => ownWord(n, at)).join(' ')
  const sentence = (): string => `The ${Array.from({ length: 9 }, () => pick(words)).join(' ')}.`
  const day = String(1 + Math.floor(random() * 28)).padStart(2, '0')
  return {
    title: `Report ${n} on ${pick(words)} and ${pick(words)}`,
    own,
    sentences: [
      `${pick(people)} went to ${pick(places)} on 2026-03-${day} and wrote of ${own}.`,
      sentence(),
      `Write to report-${n}@example.com, or see https://example.com/reports/${n} for $${100 + n}.`,
      sentence(),
    ],
  }
}

export function asHtml({ title, sentences }: Made): string {
  const paragraphs = sentences.map((sentence) => `<p>${sentence}</p>`).join('\n')
  return `<!doctype html>
<html><head><title>${title}</title><style>p { color: black }</style></head>
<body><nav><a href="/">All</a></nav><h1>${title}</h1>
${paragraphs}
<script>console.log('never read')</script></body></html>
`
}

export function asMarkdown({ title, sentences }: Made): string {
  return `# ${title}\n\n${sentences.join('\n\n')}\n`
}

function ownWord(n: number, at: number): string {
  let rest = n * 6 + at
  let word = 'q'
  for (let length = 0; length < 5; length++) {
    word += syllables[rest % syllables.length] ?? ''
    rest = Math.floor(rest / syllables.length)
  }
  return word
}
