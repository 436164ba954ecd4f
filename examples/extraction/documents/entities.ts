/** Names in a text: by rules where their form tells, by compromise where the language does. */
import nlp from 'compromise'

export interface Entity {
  readonly kind: string
  readonly name: string
  readonly count: number
}

const rules: readonly (readonly [kind: string, pattern: RegExp])[] = [
  ['email', /[\w.+-]+@[\w-]+(?:\.[\w-]+)+/g],
  ['url', /https?:\/\/[^\s<>()"']+[^\s<>()"'.,;:!?]/g],
  ['date', /\b\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])\b/g],
  ['money', /[$€£]\s?\d[\d,.]*\d|[$€£]\s?\d/g],
]
/** Language is looked at in so much of a text, in characters: it costs a microsecond and more for each. */
const languageIn = 20_000
const maxName = 200
const maxEntities = 500

export function entitiesOf(text: string): Entity[] {
  const counts = new Map<string, Entity>()
  const add = (kind: string, found: string): void => {
    const name = found.replaceAll(/^[^\p{L}\p{N}$€£]+|[^\p{L}\p{N})]+$/gu, '').replaceAll(/\s+/g, ' ')
    if (name === '' || name.length > maxName) return
    const key = `${kind} ${name}`
    counts.set(key, { kind, name, count: (counts.get(key)?.count ?? 0) + 1 })
  }
  for (const [kind, pattern] of rules) for (const [found] of text.matchAll(pattern)) add(kind, found)
  const document = nlp(text.slice(0, languageIn))
  for (const name of document.people().out('array')) add('person', name)
  for (const name of document.places().out('array')) add('place', name)
  for (const name of document.organizations().out('array')) add('organization', name)
  return [...counts.values()].slice(0, maxEntities)
}
