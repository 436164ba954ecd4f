/** The checker on small histories told by hand: each that is broken is reported, for what it breaks and nothing else. */
import { describe, expect, test } from 'vitest'
import { brokenTales, type Tale } from './broken-tales.ts'
import { check } from './checker.ts'
import { Story } from './story.ts'
import type { ViolationKind } from './violation.ts'

function kindsIn(tale: Tale): ViolationKind[] {
  const story = new Story()
  tale(story)
  return check(story.history()).map(({ kind }) => kind)
}

const a = { key: 'a' }
const poison = { key: 'a', isPoison: true }

describe('law 6 · the checker reports', () => {
  test.for(brokenTales)('%s: %s', ([kind, , tale]) => {
    expect(kindsIn(tale)).toEqual([kind])
  })
})

const correct: [string, Tale][] = [
  [
    'an eventual read of a session may be of any time',
    (story) => {
      story.commit(story.write(1, 's'))
      story.read(1, 's', 'readAfterWrite', [1])
      story.read(1, 's', 'eventual', [])
    },
  ],
  [
    'a strong read need not see what another engine has accepted only',
    (story) => {
      const write = story.write(1, 's')
      story.read(2, 't', 'strong', [])
      story.commit(write)
    },
  ],
  [
    'a read need not see what was written while it was under way',
    (story) => {
      const write = story.write(1, 's')
      story.tell(
        {
          kind: 'read',
          process: 1,
          session: 's',
          level: 'strong',
          after: [],
          timeoutMs: 1,
          log: [],
          registers: {},
        },
        10,
      )
      story.commit(write)
    },
  ],
  [
    'a rejected write is in no read; the first one fails for it, and it stays in the list',
    (story) => {
      const write = story.write(1, 's', poison)
      story.get(1, 's', write, true)
      story.reject(write)
      story.fail(1, 's', 'WRITE_REJECTED')
      story.read(1, 's', 'strong', [])
      story.list(1, 's', write)
    },
  ],
  [
    'a rejection that was awaited, or listed, fails no read',
    (story) => {
      const [one, two] = [story.write(1, 's', poison), story.write(1, 's', poison)]
      story.reject(one)
      story.tell({ kind: 'awaited', process: 1, session: 's', write: one, outcome: 'rejected' })
      story.reject(two)
      story.list(1, 's', one, two)
      story.read(1, 's', 'readAfterWrite', [])
    },
  ],
  [
    'a lost write is told to whoever follows it, and no other read misses it',
    (story) => {
      const write = story.write(1, 's')
      story.give(2, 't', story.take(1, 's', write))
      story.fail(2, 't', 'POSITION_LOST')
      story.read(2, 'u', 'strong', [])
      story.read(2, 't', 'eventual', [])
    },
  ],
  [
    'a stale read is stale when its time is over',
    (story) => {
      const write = story.write(1, 's')
      story.give(2, 't', story.take(1, 's', write))
      story.fail(2, 't', 'STALE_READ', 5_000)
      story.commit(write)
    },
  ],
  [
    'a keyed read shows its own pending write, then what another process has committed over it',
    (story) => {
      const [own, other] = [story.write(1, 's', a), story.write(2, 't', a)]
      story.get(1, 's', own, true)
      story.commit(own, other)
      story.get(1, 's', other)
    },
  ],
  [
    'a session that goes on elsewhere waits, and writes behind what it has written',
    (story) => {
      const first = story.write(1, 's/1')
      story.give(2, 's/2', story.take(1, 's/1'))
      story.tell({
        kind: 'write',
        process: 2,
        session: 's/2',
        write: 99,
        isPoison: false,
        error: 'SESSION_BEHIND',
      })
      story.commit(first)
      story.tell({ kind: 'caught-up', process: 2, session: 's/2' })
      story.commit(story.write(2, 's/2'))
      story.read(2, 's/2', 'readAfterWrite', [1, 2])
    },
  ],
]

test.for(correct)('law 6 · the checker has nothing against it: %s', ([, tale]) => {
  expect(kindsIn(tale)).toEqual([])
})
