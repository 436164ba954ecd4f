/** Values come back as they were given: nothing is changed silently, and what is accepted is a snapshot. */
import assert from 'node:assert/strict'
import { range, stage, type Stage } from './stage.ts'
import type { Topic } from './subject.ts'

const tables = `CREATE TABLE held (id INTEGER PRIMARY KEY, i INTEGER, r REAL, t TEXT, b BLOB, n NUMERIC, u);`

/** Each column and value with what the database then holds, and as which type. */
const roundTrips: readonly (readonly [column: string, given: unknown, held: unknown, type: string])[] = [
  ['i', 0, 0, 'integer'],
  ['i', -1, -1, 'integer'],
  ['i', Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER, 'integer'],
  ['i', Number.MIN_SAFE_INTEGER, Number.MIN_SAFE_INTEGER, 'integer'],
  ['i', 2n ** 53n, 2n ** 53n, 'integer'],
  ['i', 2n ** 63n - 1n, 2n ** 63n - 1n, 'integer'],
  ['i', -(2n ** 63n), -(2n ** 63n), 'integer'],
  ['i', 12n, 12, 'integer'],
  ['i', 0.5, 0.5, 'real'],
  ['i', true, 1, 'integer'],
  ['i', false, 0, 'integer'],
  ['i', null, null, 'null'],
  ['r', 0.1, 0.1, 'real'],
  ['r', 5, 5, 'real'],
  ['r', 1.797_693_134_862_315_7e308, Number.MAX_VALUE, 'real'],
  ['r', Number.MIN_VALUE, Number.MIN_VALUE, 'real'],
  ['r', Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, 'real'],
  ['r', Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY, 'real'],
  ['n', 5, 5, 'integer'],
  ['n', 2.5, 2.5, 'real'],
  ['n', 2n ** 60n, 2n ** 60n, 'integer'],
  ['t', '', '', 'text'],
  ['t', 'it\'s; -- "quoted" /* text */ ?', 'it\'s; -- "quoted" /* text */ ?', 'text'],
  ['t', 'a\u0000b', 'a\u0000b', 'text'],
  ['t', '\r\n\t\u001f\u007f\ufeff', '\r\n\t\u001f\u007f\ufeff', 'text'],
  ['t', 'ß 漢字 🌊 e\u0301 𝒳 \u202e', 'ß 漢字 🌊 e\u0301 𝒳 \u202e', 'text'],
  ['t', 'x'.repeat(200_000), 'x'.repeat(200_000), 'text'],
  // A column of text keeps whole numbers whole: '5', never '5.0'.
  ['t', 5, '5', 'text'],
  ['t', -0.5, '-0.5', 'text'],
  ['t', true, '1', 'text'],
  ['t', 2n ** 62n, '4611686018427387904', 'text'],
  ['u', 5, 5, 'integer'],
  ['u', 0.5, 0.5, 'real'],
  ['u', false, 0, 'integer'],
  ['u', '5', '5', 'text'],
  ['b', new Uint8Array(), new Uint8Array(), 'blob'],
  ['b', Uint8Array.from(range(256)), Uint8Array.from(range(256)), 'blob'],
  ['b', Buffer.from('abc'), new Uint8Array([97, 98, 99]), 'blob'],
  ['b', new Uint8Array([1, 2, 3, 4]).subarray(1, 3), new Uint8Array([2, 3]), 'blob'],
  ['b', new Uint16Array([0x0102]), new Uint8Array(new Uint16Array([0x0102]).buffer), 'blob'],
  ['b', new DataView(new Uint8Array([1, 2, 3]).buffer, 1, 1), new Uint8Array([2]), 'blob'],
  ['b', new Uint8Array([7, 8]).buffer, new Uint8Array([7, 8]), 'blob'],
  ['t', new Date(0), '1970-01-01T00:00:00.000Z', 'text'],
  ['t', { a: [1, null, 'x', { b: true }] }, '{"a":[1,null,"x",{"b":true}]}', 'text'],
  ['t', [], '[]', 'text'],
  ['t', { toJSON: () => 'short' }, '"short"', 'text'],
  ['t', Object.create(null) as object, '{}', 'text'],
]

async function holds(at: Stage, column: string, held: unknown, type: string, where: string): Promise<void> {
  const [row] = await at.rows(`SELECT ${column} AS held, typeof(${column}) AS type FROM held WHERE ${where}`)
  assert.deepEqual(row, { held: held instanceof Uint8Array ? Uint8Array.from(held) : held, type })
}

export const values: Topic = (subject, test) => {
  test('every type of value is held as it was given, by every write call', async () => {
    await using at = await stage(subject, tables)
    for (const [index, [column, given]] of roundTrips.entries()) {
      const id = index * 10
      at.db.insert('held', { id, [column]: given })
      at.db.insertMany('held', [{ id: id + 1, [column]: given }])
      at.db.upsert('held', { id: id + 2, [column]: given })
      at.db.insert('held', { id: id + 3 })
      at.db.update('held', { id: id + 3 }, { [column]: given })
      at.db.insertMany('held', [{ id: id + 4, [column]: given }], { atomic: false })
      at.db.write({ sql: `INSERT INTO held (id, ${column}) VALUES (?, ?)`, parameters: [id + 5, given] })
    }
    for (const [index, [column, , held, type]] of roundTrips.entries())
      for (const call of range(6)) await holds(at, column, held, type, `id = ${index * 10 + call}`)
  })

  test('every type of value finds its row as a key', async () => {
    await using at = await stage(subject, 'CREATE TABLE keyed (key PRIMARY KEY, found INTEGER)')
    const keys = [
      0,
      0.5,
      2n ** 60n,
      '',
      '0',
      'ö\u0000',
      new Uint8Array([0, 1]),
      new Uint8Array(),
      true,
      new Date(0),
    ]
    for (const key of keys) at.db.insert('keyed', { key })
    const updates = keys.map((key) => at.db.update('keyed', { key }, { found: 1 }, { expect: 1 }))
    const outcomes = await Promise.all(updates.map((receipt) => receipt.outcome()))
    assert.deepEqual(new Set(outcomes.map(({ kind }) => kind)), new Set(['committed']))
    assert.equal(await at.value('SELECT count(*) FROM keyed WHERE found = 1'), keys.length)
  })

  test('law 1 · what is accepted is a snapshot: changing the row or its values afterwards changes nothing', async () => {
    await using at = await stage(subject, tables)
    const bytes = new Uint8Array([1, 2, 3])
    const tags = { list: ['a'] }
    const row: Record<string, unknown> = { id: 1, b: bytes, t: tags, i: 1 }
    const key = { id: 1 }
    const set = { u: bytes, n: 1 }
    const parameters: unknown[] = [bytes]
    at.db.insert('held', row)
    at.db.update('held', key, set)
    at.db.write({ sql: 'UPDATE held SET r = length(?)', parameters })
    bytes.fill(9)
    tags.list.push('b')
    row['i'] = 2
    key.id = 2
    set.n = 2
    parameters[0] = 'longer than three'
    assert.deepEqual(await at.rows('SELECT i, n, r, t, b, u FROM held'), [
      { i: 1, n: 1, r: 3, t: '{"list":["a"]}', b: new Uint8Array([1, 2, 3]), u: new Uint8Array([1, 2, 3]) },
    ])
  })

  test('a buffer that was accepted is still the caller’s to use', async () => {
    await using at = await stage(subject, tables)
    const bytes = new Uint8Array(2 ** 20)
    await at.db.insert('held', { id: 1, b: bytes })
    assert.equal(bytes.length, 2 ** 20)
    assert.equal(await at.value('SELECT length(b) FROM held'), 2 ** 20)
  })

  test('law 2 · batches of many megabytes and small ones right behind them arrive whole and in order', async () => {
    const options = { batch: { maxOperations: 2, maxBytes: 2 ** 24 }, queue: { maxBytes: 2 ** 27 } }
    await using at = await stage(subject, tables, options)
    // Every second batch is large; those behind it are full, and are sent while it still is on its way.
    const sizes = range(24).map((id) => (id % 4 < 2 ? 3 * 2 ** 20 : 1))
    const receipts = sizes.map((size, id) => at.db.insert('held', { id, b: new Uint8Array(size).fill(id) }))
    await Promise.all(receipts)
    const found = await at.rows('SELECT id, length(b) AS size, hex(substr(b, -1)) AS last FROM held')
    const hex = (id: number) => id.toString(16).toUpperCase().padStart(2, '0')
    assert.deepEqual(
      found,
      sizes.map((size, id) => ({ id, size, last: hex(id) })),
    )
  })

  test('many values of several megabytes arrive whole', async () => {
    const options = { batch: { maxBytes: 2 ** 24 }, queue: { maxBytes: 2 ** 26 } }
    await using at = await stage(subject, tables, options)
    for (const id of range(4)) {
      at.db.insert('held', { id, b: new Uint8Array(2 ** 20).fill(id), t: String(id).repeat(2 ** 19) })
    }
    const sizes = await at.rows('SELECT id, length(b) AS b, substr(t, -1) AS last, length(t) AS t FROM held')
    assert.deepEqual(
      sizes,
      range(4).map((id) => ({ id, b: 2 ** 20, last: String(id), t: 2 ** 19 })),
    )
  })
}
