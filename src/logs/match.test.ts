/** Every expression is given to the index itself: whatever is typed finds what it should, and is never an error. */
import { DatabaseSync } from 'node:sqlite'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { matchOf } from './match.ts'

const texts = [
  'Connection refused by 10.0.0.1 port 5432',
  'connection reset by peer',
  'user_id=42 logged in from Zürich',
  'GET /api/items/7 took 12 ms',
  'say "hello" to (all) OR none',
]

function found(typed: string): number[] {
  const match = matchOf(typed)
  if (match === undefined) return []
  const rows = index().prepare('SELECT rowid FROM t WHERE t MATCH ? ORDER BY rowid').all(match)
  return rows.map(({ rowid }) => Number(rowid))
}

let made: DatabaseSync | undefined
function index(): DatabaseSync {
  if (made) return made
  made = new DatabaseSync(':memory:')
  made.exec('CREATE VIRTUAL TABLE t USING fts5(message, service, level, attributes)')
  const insert = made.prepare('INSERT INTO t (rowid, message, service, level) VALUES (?, ?, ?, ?)')
  texts.forEach((text, at) => insert.run(at + 1, text, 'shop', at === 0 ? 'error' : 'info'))
  return made
}

test.for([
  ['connection', [1, 2]],
  ['CONNECTION', [1, 2]],
  ['connection refused', [1]],
  ['refused connection', [1]],
  ['"connection refused"', [1]],
  ['"refused connection"', []],
  ['conn*', [1, 2]],
  ['"connection re"*', [1, 2]],
  ['connection -refused', [2]],
  ['-connection', [3, 4, 5]],
  ['-"connection reset" -user', [1, 4, 5]],
  ['refused OR reset', [1, 2]],
  ['connection refused OR reset', [1, 2]],
  ['refused OR reset port', [1]],
  ['refused OR', [1]],
  ['OR refused', [1]],
  ['or', [5]],
  ['10.0.0.1', [1]],
  ['10.0.1', []],
  ['user_id=42', [3]],
  ['zurich', [3]],
  ['/api/items/7', [4]],
  ['"say ""hello"" to', [5]],
  ['(all)', [5]],
  ['shop', [1, 2, 3, 4, 5]],
  ['error', []],
  ['message:connection', []],
  ['NEAR(connection refused)', []],
  ['refused -', [1]],
  ['refused ***', [1]],
] as const)('%s finds %j', ([typed, expected]) => {
  expect(found(typed)).toEqual(expected)
})

test.for<[string]>([[''], ['   '], ['-'], ['"'], ['""'], ['***'], ['OR'], ['¿?']])(
  '%j holds no word',
  ([typed]) => {
    expect(found(typed)).toEqual([])
  },
)

test('nothing that can be typed is an error', () => {
  const piece = fc.oneof(
    fc.string(),
    fc.constantFrom('"', '-', '*', 'OR', 'AND', 'NOT', 'NEAR(', ')', '{', ':', '^', '+', '\0', '""'),
  )
  fc.assert(
    fc.property(fc.array(piece), (pieces) => {
      found(pieces.join(''))
      found(pieces.join(' '))
    }),
    { numRuns: 2_000 },
  )
})
