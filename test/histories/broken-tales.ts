/** Small histories, each broken in one way: the checker is only worth what it finds. */
import type { Story } from './story.ts'
import type { ViolationKind } from './violation.ts'

export type Tale = (story: Story) => void

const a = { key: 'a' }
const poison = { key: 'a', isPoison: true }

/** What is broken, how, and the history. */
export const brokenTales: readonly (readonly [ViolationKind, string, Tale])[] = [
  [
    'read-your-writes',
    'a session reads and lacks its own write',
    (story) => {
      const write = story.write(1, 's')
      story.read(1, 's', 'readAfterWrite', [])
      story.commit(write)
    },
  ],
  [
    'read-your-writes',
    'a session goes on in another process and lacks its own write there',
    (story) => {
      const write = story.write(1, 's/1')
      story.give(2, 's/2', story.take(1, 's/1'))
      story.read(2, 's/2', 'readAfterWrite', [])
      story.commit(write)
    },
  ],
  [
    'monotonic-reads',
    'a session reads something, and then no more',
    (story) => {
      story.land(story.write(1, 's'))
      story.read(2, 't', 'eventual', [1])
      story.read(2, 't', 'readAfterWrite', [])
    },
  ],
  [
    'monotonic-reads',
    'a session reads something, goes on elsewhere, and does not see it there',
    (story) => {
      story.land(story.write(1, 's'))
      story.read(2, 't/1', 'readAfterWrite', [1])
      story.give(3, 't/2', story.take(2, 't/1'))
      story.read(3, 't/2', 'readAfterWrite', [])
    },
  ],
  [
    'monotonic-reads',
    'a session finds a row by its key that was pending, and then reads without it',
    (story) => {
      const write = story.write(1, 's', a)
      story.get(1, 't', write, true)
      story.read(1, 't', 'readAfterWrite', [])
      story.commit(write)
    },
  ],
  [
    'monotonic-writes',
    'a session writes in one process, then in another, and the second write is committed first',
    (story) => {
      const first = story.write(1, 's/1')
      story.give(2, 's/2', story.take(1, 's/1'))
      story.commit(story.write(2, 's/2'))
      story.commit(first)
    },
  ],
  [
    'monotonic-writes',
    'a session writes in one process, which is killed, then in another, and only the second is there',
    (story) => {
      story.write(1, 's/1')
      story.give(2, 's/2', story.take(1, 's/1'))
      story.commit(story.write(2, 's/2'))
    },
  ],
  [
    'writes-follow-reads',
    'a session writes after it has found a pending row, and its write is committed first',
    (story) => {
      const first = story.write(1, 's', a)
      story.get(1, 't/1', first, true)
      story.give(2, 't/2', story.take(1, 't/1'))
      story.commit(story.write(2, 't/2'))
      story.commit(first)
    },
  ],
  [
    'writes-follow-reads',
    'a session writes behind the bookmark of a write, and is committed before it',
    (story) => {
      const first = story.write(1, 's')
      story.give(2, 't', story.take(1, 's', first))
      story.commit(story.write(2, 't'))
      story.commit(first)
    },
  ],
  [
    'bookmark',
    'a session that was given a bookmark lacks what that stands for',
    (story) => {
      const write = story.write(1, 's')
      story.give(2, 't', story.take(1, 's'))
      story.read(2, 't', 'readAfterWrite', [])
      story.commit(write)
    },
  ],
  [
    'bookmark',
    'a read at the bookmark of a write lacks a write before it',
    (story) => {
      const [first, second] = [story.write(1, 's'), story.write(1, 't')]
      const bookmark = story.take(1, 't', second)
      story.read(2, undefined, 'readAfterWrite', [first], [bookmark])
      story.commit(first, second)
    },
  ],
  [
    'own-accepted',
    'a strong read lacks what its engine had accepted for another session',
    (story) => {
      const write = story.write(1, 's')
      story.read(1, 't', 'strong', [])
      story.commit(write)
    },
  ],
  [
    'own-accepted',
    'a read at readAfterWrite without a bookmark lacks what its engine had accepted',
    (story) => {
      const write = story.write(1, 's')
      story.read(1, undefined, 'readAfterWrite', [])
      story.commit(write)
    },
  ],
  [
    'others-committed',
    'a strong read lacks what another engine was told to be committed',
    (story) => {
      story.commit(story.write(1, 's'))
      story.read(2, 't', 'strong', [])
    },
  ],
  [
    'others-committed',
    'a strong read lacks what somebody else has read',
    (story) => {
      story.land(story.write(1, 's'))
      story.read(3, 'u', 'eventual', [1])
      story.read(2, 't', 'strong', [])
    },
  ],
  [
    'prefix',
    'a read shows a write without the one before it',
    (story) => {
      story.land(story.write(1, 's'), story.write(1, 's'))
      story.read(2, 't', 'eventual', [2])
    },
  ],
  [
    'prefix',
    'a read shows two writes in the wrong order',
    (story) => {
      story.land(story.write(1, 's'), story.write(2, 's'))
      story.read(3, 't', 'eventual', [2, 1])
    },
  ],
  [
    'prefix',
    'a read shows half of a group',
    (story) => {
      story.land(story.write(1, 's', a))
      const read = { kind: 'read', process: 2, level: 'eventual', after: [], timeoutMs: 1 } as const
      story.tell({ ...read, log: [1], registers: {} })
    },
  ],
  [
    'prefix',
    'a read says that it has seen a position, and has not',
    (story) => {
      story.land(story.write(1, 's'))
      const read = { kind: 'read', process: 2, level: 'eventual', after: [], timeoutMs: 1 } as const
      story.tell({ ...read, log: [], registers: {}, seen: [{ epoch: 1, seq: 1 }] })
    },
  ],
  [
    'prefix',
    'a writer’s operations are committed out of order',
    (story) => {
      const [first, second] = [story.write(1, undefined), story.write(1, undefined)]
      story.land(second, first)
    },
  ],
  [
    'lost-position',
    'a session that follows a lost write is given rows',
    (story) => {
      const write = story.write(1, 's')
      story.give(2, 't', story.take(1, 's', write))
      story.read(2, 't', 'readAfterWrite', [])
    },
  ],
  [
    'lost-position',
    'a session that follows a lost write is given a row',
    (story) => {
      const write = story.write(1, 's')
      story.give(2, 't', story.take(1, 's', write))
      story.get(2, 't', undefined)
    },
  ],
  [
    'lost-position',
    'a session catches up with a lost write',
    (story) => {
      const write = story.write(1, 's')
      story.give(2, 't', story.take(1, 's', write))
      story.tell({ kind: 'caught-up', process: 2, session: 't' })
    },
  ],
  [
    'false-loss',
    'a write is told lost that is there',
    (story) => {
      const write = story.write(1, 's')
      story.give(2, 't', story.take(1, 's', write))
      story.fail(2, 't', 'POSITION_LOST')
      story.commit(write)
    },
  ],
  [
    'overlay-own-write',
    'a keyed read lacks what its process has accepted',
    (story) => {
      const write = story.write(1, 's', a)
      story.get(1, undefined, undefined)
      story.commit(write)
    },
  ],
  [
    'overlay-own-write',
    'a keyed read shows what another process committed before the own pending write',
    (story) => {
      const [other, own] = [story.write(1, 's', a), story.write(2, 't', a)]
      story.commit(other)
      story.get(2, undefined, other)
      story.commit(own)
    },
  ],
  [
    'overlay-went-back',
    'a keyed read shows an older row than one before it',
    (story) => {
      story.land(story.write(1, 's', a), story.write(1, 's', a))
      story.get(2, undefined, 2)
      story.get(2, undefined, 1)
    },
  ],
  [
    'overlay-invented',
    'a keyed read shows a write that was pending in another process, and never committed',
    (story) => {
      story.get(2, undefined, story.write(1, 's', a), true)
    },
  ],
  [
    'overlay-invented',
    'a keyed read shows a write as committed that is rejected',
    (story) => {
      const write = story.write(1, undefined, poison)
      story.get(1, undefined, write, false)
      story.reject(write)
    },
  ],
  [
    'rejection',
    'a session reads on, and nobody was told of its rejected write',
    (story) => {
      story.reject(story.write(1, 's', poison))
      story.read(1, 's', 'readAfterWrite', [])
    },
  ],
  [
    'rejection',
    'a session reads a row on, and nobody was told of its rejected write',
    (story) => {
      story.reject(story.write(1, 's', poison))
      story.get(1, 's', undefined)
    },
  ],
  [
    'rejection',
    'a session’s reads fail twice for one rejection',
    (story) => {
      story.reject(story.write(1, 's', poison))
      story.fail(1, 's', 'WRITE_REJECTED')
      story.fail(1, 's', 'WRITE_REJECTED')
    },
  ],
  [
    'rejection',
    'a session’s read fails for a rejection of another session',
    (story) => {
      story.reject(story.write(1, 's', poison))
      story.fail(1, 't', 'WRITE_REJECTED')
    },
  ],
  [
    'rejection-not-listed',
    'a session lists its rejections without one',
    (story) => {
      story.reject(story.write(1, 's', poison))
      story.list(1, 's')
    },
  ],
  [
    'rows-with-error',
    'a stale read gives rows',
    (story) => {
      const read = { kind: 'read', process: 1, level: 'strong', after: [], timeoutMs: 0 } as const
      story.tell({ ...read, error: 'STALE_READ', log: [], registers: {} })
    },
  ],
  ['stale-too-early', 'a read is told stale at once', (story) => story.fail(1, 's', 'STALE_READ')],
  ['unexpected-error', 'a read fails with something else', (story) => story.fail(1, 's', 'STORE_FAILED')],
  [
    'acknowledged-lost',
    'a write was told committed, and is gone',
    (story) => {
      const position = story.positionOf(story.write(1, 's'))
      story.tell({ kind: 'committed', process: 1, position })
    },
  ],
  [
    'repeated',
    'a write is there twice',
    (story) => {
      const [one, other] = [story.write(1, undefined), story.write(2, undefined)]
      story.land(one, other, other)
    },
  ],
]
