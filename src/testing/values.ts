/** Values come back as they were given: nothing is changed silently, and what is accepted is a snapshot. */
import assert from 'node:assert/strict'
import type { Dialect } from '../index.ts'
import { canHold, sqlDialects } from './sql.ts'
import { endings, range, stage } from './stage.ts'
import type { Topic } from './subject.ts'

const tables =
  'CREATE TABLE held (id INTEGER PRIMARY KEY, i INTEGER, r REAL, t TEXT, b BLOB, other INTEGER, bytes BLOB)'

/** Each column and value with what the database then holds. */
const roundTrips: readonly (readonly [column: string, given: unknown, held: unknown])[] = [
  ['i', 0, 0],
  ['i', -1, -1],
  ['i', Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
  ['i', Number.MIN_SAFE_INTEGER, Number.MIN_SAFE_INTEGER],
  ['i', 2n ** 53n, 2n ** 53n],
  ['i', 2n ** 63n - 1n, 2n ** 63n - 1n],
  ['i', -(2n ** 63n), -(2n ** 63n)],
  ['i', 12n, 12],
  ['i', true, 1],
  ['i', false, 0],
  ['i', null, null],
  ['r', 0.1, 0.1],
  ['r', 5, 5],
  ['r', 1.797_693_134_862_315_7e308, Number.MAX_VALUE],
  ['r', Number.MIN_VALUE, Number.MIN_VALUE],
  ['r', Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY],
  ['r', Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY],
  ['t', '', ''],
  ['t', 'it\'s; -- "quoted" /* text */ ?', 'it\'s; -- "quoted" /* text */ ?'],
  ['t', 'a\u0000b', 'a\u0000b'],
  ['t', '\r\n\t\u001f\u007f\ufeff', '\r\n\t\u001f\u007f\ufeff'],
  ['t', 'ß 漢字 🌊 e\u0301 𝒳 \u202e', 'ß 漢字 🌊 e\u0301 𝒳 \u202e'],
  ['t', 'x'.repeat(200_000), 'x'.repeat(200_000)],
  // A column of text keeps whole numbers whole: '5', never '5.0'.
  ['t', 5, '5'],
  ['t', -0.5, '-0.5'],
  ['t', true, '1'],
  ['t', 2n ** 62n, '4611686018427387904'],
  ['b', new Uint8Array(), new Uint8Array()],
  ['b', Uint8Array.from(range(256)), Uint8Array.from(range(256))],
  ['b', Buffer.from('abc'), new Uint8Array([97, 98, 99])],
  ['b', new Uint8Array([1, 2, 3, 4]).subarray(1, 3), new Uint8Array([2, 3])],
  ['b', new Uint16Array([0x0102]), new Uint8Array(new Uint16Array([0x0102]).buffer)],
  ['b', new DataView(new Uint8Array([1, 2, 3]).buffer, 1, 1), new Uint8Array([2])],
  ['b', new Uint8Array([7, 8]).buffer, new Uint8Array([7, 8])],
  ['t', new Date(0), '1970-01-01T00:00:00.000Z'],
  ['t', { a: [1, null, 'x', { b: true }] }, '{"a":[1,null,"x",{"b":true}]}'],
  ['t', [], '[]'],
  ['t', { toJSON: () => 'short' }, '"short"'],
  ['t', Object.create(null) as object, '{}'],
]

/** What means one thing or another by its column, which a statement's parameter does not have. */
function isForColumns(dialect: Dialect, value: unknown): boolean {
  return dialect === 'mysql' ? value instanceof Date : dialect === 'postgres' && Array.isArray(value)
}

export const values: Topic = (subject, test, onlyFor) => {
  onlyFor(sqlDialects, 'every type of value is held as it was given, by every write call', async () => {
    await using at = await stage(subject, tables)
    const trips = roundTrips.filter(([, given]) => canHold(subject.dialect, given))
    for (const [index, [column, given]] of trips.entries()) {
      const id = 1 + index * 10
      at.db.insert('held', { id, [column]: given })
      at.db.insertMany('held', [{ id: id + 1, [column]: given }])
      at.db.upsert('held', { id: id + 2, [column]: given })
      at.db.insert('held', { id: id + 3 })
      at.db.update('held', { id: id + 3 }, { [column]: given })
      at.db.insertMany('held', [{ id: id + 4, [column]: given }], { atomic: false })
      const sql = at.sql(`INSERT INTO held (id, ${column}) VALUES (?, ?)`)
      if (isForColumns(subject.dialect, given)) {
        assert.throws(() => at.db.write({ sql, parameters: [id + 5, given] }), { code: 'UNBINDABLE_VALUE' })
        at.db.insert('held', { id: id + 5, [column]: given })
      } else at.db.write({ sql, parameters: [id + 5, given] })
    }
    const found = await at.rows('SELECT * FROM held ORDER BY id')
    for (const [index, [column, , held]] of trips.entries())
      for (const call of range(6))
        assert.deepEqual(found[index * 6 + call]?.[column], held, `${column}, trip ${index}, call ${call}`)
  })

  onlyFor(
    ['postgres', 'mysql'],
    'law 5 · what no column can hold becomes a dead letter, as it was',
    async () => {
      await using at = await stage(subject, tables)
      const wanting = ['a\u0000b', Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY].filter(
        (value) => !canHold(subject.dialect, value),
      )
      assert.ok(wanting.length > 0)
      const receipts = wanting.flatMap((value) => [
        at.db.insert('held', { [typeof value === 'string' ? 't' : 'r']: value }),
        at.db.insert('held', { i: 1 }),
      ])
      const kinds = (await Promise.all(receipts.map((receipt) => receipt.outcome()))).map(({ kind }) => kind)
      assert.deepEqual(
        kinds,
        wanting.flatMap(() => ['rejected', 'committed']),
      )
      const letters = await at.db.deadLetters()
      assert.deepEqual(
        letters.map(({ content }) => typeof content !== 'string' && content[0]?.values),
        wanting.map((value) => [value]),
      )
    },
  )

  test('law 5 · a given id of 0 is kept, not replaced by a generated one', async () => {
    await using at = await stage(subject, tables)
    at.db.insert('held', { id: 0, i: 1 })
    at.db.insertMany('held', [{ id: 5 }, { id: -1 }])
    assert.deepEqual(await at.rows('SELECT id FROM held ORDER BY id'), [{ id: -1 }, { id: 0 }, { id: 5 }])
  })

  onlyFor(sqlDialects, 'every type of value finds its row as a key', async () => {
    await using at = await stage(subject, [
      'CREATE TABLE numbered (id INTEGER PRIMARY KEY, found INTEGER)',
      'CREATE TABLE named (name TEXT PRIMARY KEY, found INTEGER)',
    ])
    const ids = [1, 12n, 2n ** 60n, -(2n ** 63n), Number.MAX_SAFE_INTEGER]
    const names = ['', '0', 'a', 'A', 'a ', 'ß', 'ö', 'o\u0308', '🌊', new Date(0)]
    for (const id of ids) at.db.insert('numbered', { id })
    for (const name of names) at.db.insert('named', { name })
    const updates = [
      ...ids.map((id) => at.db.update('numbered', { id }, { found: 1 }, { expect: 1 })),
      ...names.map((name) => at.db.update('named', { name }, { found: 1 }, { expect: 1 })),
    ]
    assert.deepEqual(new Set(await endings(updates)), new Set(['committed']))
    assert.equal(await at.value('SELECT count(*) FROM numbered WHERE found = 1'), ids.length)
    assert.equal(await at.value('SELECT count(*) FROM named WHERE found = 1'), names.length)
  })

  onlyFor(
    sqlDialects,
    'law 1 · what is accepted is a snapshot: changing the row or its values afterwards changes nothing',
    async () => {
      await using at = await stage(subject, tables)
      const bytes = new Uint8Array([1, 2, 3])
      const tags = { list: ['a'] }
      const row: Record<string, unknown> = { id: 1, b: bytes, t: tags, i: 1 }
      const key = { id: 1 }
      const set = { bytes, other: 1 }
      const parameters: unknown[] = [3]
      at.db.insert('held', row)
      at.db.update('held', key, set)
      at.db.write({ sql: at.sql('UPDATE held SET r = ?'), parameters })
      bytes.fill(9)
      tags.list.push('b')
      row['i'] = 2
      key.id = 2
      set.other = 2
      parameters[0] = 4
      const kept = new Uint8Array([1, 2, 3])
      assert.deepEqual(await at.rows('SELECT i, other, r, t, b, bytes FROM held'), [
        { i: 1, other: 1, r: 3, t: '{"list":["a"]}', b: kept, bytes: kept },
      ])
    },
  )

  test('a buffer that was accepted is still the caller’s to use', async () => {
    await using at = await stage(subject, tables)
    const bytes = new Uint8Array(2 ** 20)
    await at.db.insert('held', { id: 1, b: bytes })
    assert.equal(bytes.length, 2 ** 20)
    assert.equal(await at.value('SELECT length(b) FROM held'), 2 ** 20)
  })

  test('law 2 · large batches and small ones right behind them arrive whole and in order', async () => {
    const { largeBytes = 3 * 2 ** 20 } = subject
    const options = { batch: { maxOperations: 2, maxBytes: 2 ** 24 }, queue: { maxBytes: 2 ** 27 } }
    await using at = await stage(subject, tables, options)
    // Every second batch is large; those behind it are full, and are sent while it still is on its way.
    const sizes = range(24).map((id) => (id % 4 < 2 ? largeBytes : 1))
    const receipts = sizes.map((size, id) =>
      at.db.insert('held', { id: id + 1, b: new Uint8Array(size).fill(id) }),
    )
    await Promise.all(receipts)
    const found = await at.rows('SELECT id, b FROM held ORDER BY id')
    assert.deepEqual(
      found.map(({ id, b }) => [id, (b as Uint8Array).length, (b as Uint8Array).at(-1)]),
      sizes.map((size, index) => [index + 1, size, index]),
    )
  })

  test('many values of several megabytes arrive whole', async () => {
    const options = { batch: { maxBytes: 2 ** 24 }, queue: { maxBytes: 2 ** 26 } }
    await using at = await stage(subject, tables, options)
    for (const id of range(4)) {
      at.db.insert('held', { id: id + 1, b: new Uint8Array(2 ** 20).fill(id), t: String(id).repeat(2 ** 19) })
    }
    const found = await at.rows('SELECT b, t FROM held ORDER BY id')
    assert.deepEqual(
      found.map(({ b, t }) => [(b as Uint8Array).length, (b as Uint8Array).at(-1), t]),
      range(4).map((id) => [2 ** 20, id, String(id).repeat(2 ** 19)]),
    )
  })
}
