import { expect, test } from 'vitest'
import { markMatches, searchPattern } from '../../dashboard/logs/highlight.ts'

test.for([
  ['timeout', 'a Timeout, not timeouts', ['Timeout']],
  ['time*', 'timeouts at any time', ['timeouts', 'time']],
  ['"connection refused"', 'connection: refused, connection lost', ['connection: refused']],
  ['disk OR memory', 'out of memory or disk', ['memory', 'disk']],
  ['disk -full', 'the disk is full', ['disk']],
  ['10.0.0.1', 'from 10.0.0.1:80 and 10.0.0.12', ['10.0.0.1']],
  ['größe', 'GROSSE Grösse größe Große', ['größe', 'Große']],
  ['cafe', 'the café', ['café']],
  ['(a+)+$', 'a a', ['a', 'a']],
] as const)('dashboard · the search %s marks its words in “%s”', ([search, text, marked]) => {
  const parts = markMatches(text, searchPattern(search))
  expect(parts.filter(({ isMatch }) => isMatch).map((part) => part.text)).toEqual(marked)
  expect(parts.map((part) => part.text).join('')).toBe(text)
})

test('dashboard · a search without a word marks nothing', () => {
  for (const search of ['', '  ', '-', '*', '""', '-gone', 'OR']) {
    expect(searchPattern(search)).toBeUndefined()
  }
  expect(markMatches('as it is', undefined)).toEqual([{ text: 'as it is', isMatch: false }])
})
