/** What the doctor makes of servers that a test cannot have, or would have to wait for. */
import { expect, test } from 'vitest'
import { judgeVersions } from './bookkeeping.ts'
import { judgeConnections, judgeLocks, judgePooler, judgeTransactions } from './connections.ts'
import { judgeDurability, judgeSlots, judgeStandbys, judgeVersion } from './durability.ts'
import { judgeSequences } from './tables.ts'

test.each([
  ['18.1', 180_001, 'ok'],
  ['15.0', 150_000, 'ok'],
  ['14.19', 140_019, 'FAIL'],
])('PostgreSQL %s: %s', (text, number, status) => {
  expect(judgeVersion(text, number).status).toBe(status)
})

const safe = { fsync: 'on', full_page_writes: 'on', synchronous_commit: 'on', wal_level: 'replica' }

test.each([
  [{}, 'ok'],
  [{ fsync: 'off' }, 'FAIL'],
  [{ full_page_writes: 'off' }, 'FAIL'],
  [{ synchronous_commit: 'off' }, 'warn'],
  [{ wal_level: 'minimal' }, 'warn'],
])('durability with %j: %s', (changed, status) => {
  expect(judgeDurability({ ...safe, ...changed }).status).toBe(status)
})

test.each([
  ['', 'on', [], 'ok'],
  ['', 'on', ['async'], 'ok'],
  ['one', 'on', ['sync'], 'ok'],
  ['ANY 1 (one, two)', 'on', ['quorum', 'quorum'], 'ok'],
  ['one', 'on', ['async'], 'FAIL'],
  ['one', 'on', [], 'FAIL'],
  ['one', 'local', [], 'ok'],
])('standbys "%s" at level %s, of which %j are connected: %s', (names, level, states, status) => {
  expect(judgeStandbys(names, level, states).status).toBe(status)
})

const slot = { name: 'old', is_active: true, status: 'reserved', bytes: 0 }

test.each([
  [[], 'ok'],
  [[slot], 'ok'],
  [[{ ...slot, is_active: false }], 'warn'],
  [[{ ...slot, is_active: false, bytes: 2 ** 31 }], 'FAIL'],
  [[{ ...slot, is_active: false, status: 'lost' }], 'warn'],
])('replication slots %j: %s', (rows, status) => {
  expect(judgeSlots(rows).status).toBe(status)
})

const free = { used: 5, ours: 2, most: 100, reserved: 3, free_of_role: null, free_of_database: null }

test.each([
  [{}, 'ok'],
  [{ used: 90 }, 'warn'],
  [{ used: 96 }, 'FAIL'],
  [{ free_of_role: 4 }, 'warn'],
  [{ free_of_database: 1 }, 'FAIL'],
])('connections %j: %s', (changed, status) => {
  expect(judgeConnections({ ...free, ...changed }).status).toBe(status)
})

test.each([
  [[7, 7], 'ok'],
  [[7, 8], 'FAIL'],
])('one connection answered by backends %j: %s', (pids, status) => {
  expect(judgePooler(pids).status).toBe(status)
})

const open = { pid: 1, program: 'psql', state: 'idle in transaction', seconds: 30 }

test.each([
  [[], 'ok', 'none'],
  [[open], 'ok', 'none is older'],
  [
    [{ ...open, seconds: 600 }, open],
    'warn',
    '1 transaction open for over a minute: process 1 (psql, idle in transaction) for 10 min',
  ],
  [[{ ...open, program: 'two', state: 'prepared', seconds: 90 }], 'warn', 'prepared "two" for 90 s'],
])('open transactions %j: %s', (rows, status, finding) => {
  expect(judgeTransactions(rows)).toMatchObject({ status, finding: expect.stringContaining(finding) })
})

const waiting = {
  program: 'tidemark',
  by: 9,
  by_program: 'psql',
  by_state: 'idle in transaction',
  seconds: 30,
}

test.each([
  [[], 'ok'],
  [[{ ...waiting, seconds: 0.2 }], 'ok'],
  [[waiting], 'warn'],
])('locks %j: %s', (rows, status) => {
  expect(judgeLocks(rows).status).toBe(status)
})

test.each([
  [10, 'ok'],
  [1_000_000, 'warn'],
])('%i dead versions: %s', (dead, status) => {
  expect(judgeVersions({ live: 3, dead, bytes: 8_192 }).status).toBe(status)
})

test.each([
  [{ share: 0.1, share_of_column: null }, 'ok'],
  [{ share: 0.8, share_of_column: null }, 'warn'],
  [{ share: 1e-10, share_of_column: 0.99 }, 'FAIL'],
  [{ share: 0.99, share_of_column: null, cycles: true }, 'ok'],
])('a sequence at %j: %s', (row, status) => {
  expect(judgeSequences([{ name: 's', cycles: false, ...row }]).status).toBe(status)
})
