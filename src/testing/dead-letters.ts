/** Dead letters: what the store refused for good is kept exactly, and can be redriven. */
import assert from 'node:assert/strict'
import type { DeadLetter, Value } from '../index.ts'
import { canHold, createTrigger, dropTrigger, reasonOf, sqlDialects } from './sql.ts'
import { endings, range, stage, type Stage } from './stage.ts'
import type { Topic } from './subject.ts'

const tables = [
  'CREATE TABLE songs (id INTEGER PRIMARY KEY, title TEXT NOT NULL, plays INTEGER)',
  'CREATE TABLE small (id INTEGER PRIMARY KEY, n INTEGER CHECK (n < 1000))',
  'CREATE TABLE held (id INTEGER PRIMARY KEY, i INTEGER, r REAL, t TEXT, b BLOB)',
]
const refuseSongs = createTrigger({ name: 'no', table: 'songs', refuses: '1 = 1' })
const refuseHeld = createTrigger({ name: 'no', table: 'held', refuses: '1 = 1' })

/** Whether a letter keeps a whole number as bigint is the store's affair. */
const exact = (value: Value): Value =>
  typeof value === 'bigint' && Number.isSafeInteger(Number(value)) ? Number(value) : value

/** What a letter was, with its values. */
const contentOf = ({ content }: DeadLetter) =>
  typeof content === 'string'
    ? content
    : content.map((operation) => ({ ...operation, values: operation.values.map(exact) }))

/** Makes one dead letter by taking a title's place, and gives its id. */
async function letterOf(at: Stage): Promise<number> {
  await at.db.insert('songs', { id: 1, title: 'in the way' })
  assert.notDeepEqual(await endings([at.db.insert('songs', { id: 1, title: 'late', plays: 7 })]), [
    'committed',
  ])
  return (await at.db.deadLetters())[0]?.id ?? assert.fail('there is no letter')
}

const makeRoom = (at: Stage) => at.db.delete('songs', { id: 1 })

export const deadLetters: Topic = (subject, test, onlyFor) => {
  // SPEC S1.9
  test('law 5 · a rejected write is kept with its place, its reason and what it was', async () => {
    await using at = await stage(subject, tables)
    const startedMs = Date.now()
    const receipt = at.db.insert('songs', { id: 5, title: null, plays: 2 })
    await receipt.outcome()
    const [letter, ...more] = await at.db.deadLetters()
    assert.ok(letter)
    const { rejectedAt, message, id, code, writer, epoch, seq, table, attempts } = letter
    assert.deepEqual({ writer, epoch, seq }, receipt.position)
    assert.deepEqual([table, attempts], ['songs', 1])
    assert.equal(reasonOf(code), 'not null')
    const values = [5, null, 2]
    assert.deepEqual(contentOf(letter), [{ kind: 'insert', table: 'songs', sql: undefined, values }])
    assert.ok(id > 0 && /null|none/i.test(message))
    assert.ok(rejectedAt.getTime() >= startedMs - 1 && rejectedAt.getTime() <= Date.now())
    assert.deepEqual(more, [])
  })

  test('law 5 · every type of value comes back from a dead letter as it was, and is redriven as it was', async () => {
    await using at = await stage(subject, tables)
    const kept: Record<string, readonly Value[]> = {
      i: [5, 2n ** 60n, -(2n ** 63n), null],
      r: [0.1, 5, Number.NEGATIVE_INFINITY],
      t: ['', 'a"\\\u2028🌊{"$bigint":"1"}', '{"$bytes":"AAA="}', 'a\u0000'],
      b: [new Uint8Array(), Uint8Array.from(range(256))],
    }
    const rows = Object.entries(kept)
      .flatMap(([column, all]) => all.map((value) => ({ column, value })))
      .filter(({ value }) => canHold(subject.dialect, value))
      .map(({ column, value }, index) => ({
        id: index + 1,
        i: null,
        r: null,
        t: null,
        b: null,
        [column]: value,
      }))
    await at.outside(refuseHeld)
    const receipts = rows.map((row) => at.db.insert('held', row))
    assert.deepEqual(new Set(await endings(receipts)), new Set(['trigger']))
    const letters = await at.db.deadLetters()
    assert.deepEqual(
      letters.map(({ content }) => typeof content !== 'string' && content[0]?.values.map(exact)),
      rows.map((row) => Object.values(row)),
    )
    await at.outside(dropTrigger('no', 'held'))
    const redriven = await at.db.redrive(letters.map(({ id }) => id))
    assert.deepEqual(new Set(redriven.map(({ outcome }) => outcome.kind)), new Set(['committed']))
    assert.deepEqual(await at.rows('SELECT id, i, r, t, b FROM held ORDER BY id'), rows)
  })

  onlyFor(sqlDialects, 'every kind of operation is kept as what it was', async () => {
    await using at = await stage(subject, tables)
    await at.db.insert('songs', { id: 1, title: 'a', plays: 1 })
    const text = at.sql('UPDATE songs SET plays = ? WHERE id = ?')
    await endings([
      at.db.upsert('songs', { id: 1, title: null }),
      at.db.update('songs', { id: 1, plays: 9 }, { title: 'b' }, { expect: 1 }),
      at.db.delete('songs', { id: 9 }, { expect: 1 }),
      at.db.write({ sql: text, parameters: [5, 9] }, { expect: 1 }),
      at.db.atomic((group) => {
        group.insert('songs', { id: 2, title: 'fine' })
        group.insert('songs', { id: 3, title: null })
      }),
    ])
    const letters = await at.db.deadLetters()
    assert.deepEqual(
      letters.map((letter) => [reasonOf(letter.code), letter.table, contentOf(letter)]),
      [
        ['not null', 'songs', [{ kind: 'upsert', table: 'songs', sql: undefined, values: [1, null] }]],
        [
          'EXPECTATION_FAILED',
          'songs',
          [{ kind: 'update', table: 'songs', sql: undefined, values: ['b', 1, 9] }],
        ],
        ['EXPECTATION_FAILED', 'songs', [{ kind: 'delete', table: 'songs', sql: undefined, values: [9] }]],
        [
          'EXPECTATION_FAILED',
          undefined,
          [{ kind: 'statement', table: undefined, sql: text, values: [5, 9] }],
        ],
        [
          'not null',
          undefined,
          [{ kind: 'insert', table: 'songs', sql: undefined, values: [2, 'fine', 3, null] }],
        ],
      ],
    )
  })

  test('letters are found by table and code, and paged through in order', async () => {
    await using at = await stage(subject, tables)
    for (const id of range(5)) {
      at.db.insert('songs', { title: null })
      at.db.insert('small', { n: 1_000 + id })
    }
    await at.db.flush()
    const all = await at.db.deadLetters()
    assert.deepEqual(
      all.map(({ seq }) => seq),
      range(10).map((index) => index + 1),
    )
    assert.equal((await at.db.deadLetters({ table: 'songs' })).length, 5)
    const code = all.find(({ table }) => table === 'small')?.code ?? ''
    assert.equal(reasonOf(code), 'check')
    assert.equal((await at.db.deadLetters({ code })).length, 5)
    assert.equal((await at.db.deadLetters({ table: 'songs', code })).length, 0)
    const page = await at.db.deadLetters({ limit: 4 })
    const rest = await at.db.deadLetters({ afterId: page[3]?.id ?? 0 })
    assert.deepEqual([...page, ...rest], all)
  })

  // SPEC S1.9
  test('law 5 · a redriven letter that succeeds is written at a new position, and is no letter any more', async () => {
    await using at = await stage(subject, tables)
    const id = await letterOf(at)
    makeRoom(at)
    const [result] = await at.db.redrive([id])
    assert.ok(result?.id === id && result.outcome.kind === 'committed')
    assert.equal(result.outcome.position.seq, 4)
    assert.deepEqual(await at.rows('SELECT * FROM songs'), [{ id: 1, title: 'late', plays: 7 }])
    assert.deepEqual(await at.db.deadLetters(), [])
  })

  test('law 5 · a redriven letter that is refused again stays one letter, with the newer reason', async () => {
    await using at = await stage(subject, tables)
    const id = await letterOf(at)
    const [result] = await at.db.redrive([id])
    assert.ok(result?.outcome.kind === 'rejected')
    assert.equal(result.outcome.error.deadLetter, id)
    const [letter, ...more] = await at.db.deadLetters()
    assert.deepEqual([letter?.id, letter?.attempts, letter?.seq, more], [id, 2, 3, []])
    await makeRoom(at)
    assert.equal((await at.db.redrive([id]))[0]?.outcome.kind, 'committed')
    assert.deepEqual(await at.db.deadLetters(), [])
  })

  test('law 3 · redrives of one letter at the same time apply it once', async () => {
    await using at = await stage(subject, tables)
    await at.outside(refuseSongs)
    // Without a key of its own: nothing in the table would stop it from being written twice.
    assert.deepEqual(await endings([at.db.insert('songs', { title: 'late' })]), ['trigger'])
    await at.outside(dropTrigger('no', 'songs'))
    const id = (await at.db.deadLetters())[0]?.id ?? 0
    const other = await at.open()
    const results = await Promise.all(
      [at.db.redrive([id, id]), at.db.redrive([id]), other.redrive([id])].map((all) =>
        all.catch((error: { code: string }) => [{ id, outcome: { kind: error.code } }]),
      ),
    )
    const kinds = results.flat().map(({ outcome }) => outcome.kind)
    assert.equal(kinds.filter((kind) => kind === 'committed').length, 1, kinds.join(', '))
    assert.deepEqual(await at.rows('SELECT title FROM songs'), [{ title: 'late' }])
    assert.deepEqual(await at.db.deadLetters(), [])
  })

  test('law 4 · a group is redriven whole', async () => {
    await using at = await stage(subject, tables)
    await at.db.insert('songs', { id: 1, title: 'in the way' })
    const group = at.db.atomic((tx) => {
      tx.insert('songs', { id: 2, title: 'b' })
      tx.insert('songs', { id: 1, title: 'a' })
      tx.update('songs', { id: 2 }, { plays: 5 }, { expect: 1 })
      tx.write({ sql: 'UPDATE songs SET plays = coalesce(plays, 0) + 1', parameters: [] }, { expect: 2 })
    })
    assert.deepEqual(await endings([group]), ['unique'])
    makeRoom(at)
    const [letter] = await at.db.deadLetters()
    const [result] = await at.db.redrive([letter?.id ?? 0])
    assert.equal(result?.outcome.kind, 'committed')
    assert.deepEqual(await at.rows('SELECT * FROM songs ORDER BY id'), [
      { id: 1, title: 'a', plays: 1 },
      { id: 2, title: 'b', plays: 6 },
    ])
  })

  test('law 5 · a letter whose table is gone stays a letter', async () => {
    await using at = await stage(subject, tables)
    const id = await letterOf(at)
    await at.outside('DROP TABLE songs')
    assert.equal((await at.db.redrive([id]))[0]?.outcome.kind, 'rejected')
    assert.equal((await at.db.deadLetters())[0]?.attempts, 2)
  })

  test('what is no letter, or no operation, cannot be redriven', async () => {
    await using at = await stage(subject, tables)
    const unreadable = [{ text: '{"title": "half', error: 'unexpected end' }]
    await at.db.insertMany('songs', [], { atomic: false, unreadable })
    const [letter] = await at.db.deadLetters()
    assert.deepEqual([letter?.content, letter?.code], ['{"title": "half', 'UNREADABLE_INPUT'])
    await assert.rejects(at.db.redrive([letter?.id ?? 0]), { code: 'NOT_REDRIVABLE' })
    await assert.rejects(at.db.redrive([999]), { code: 'NOT_REDRIVABLE' })
    assert.equal((await at.db.deadLetters()).length, 1)
  })

  test('law 5 · letters outlive their engine: the next one lists and redrives them', async () => {
    await using at = await stage(subject, tables, { writer: 'a' })
    const id = await letterOf(at)
    await at.db.close()
    const next = await at.open({ writer: 'b' })
    await next.delete('songs', { id: 1 })
    const [letter] = await next.deadLetters()
    assert.deepEqual([letter?.id, letter?.writer, letter?.epoch, letter?.seq], [id, 'a', at.db.epoch, 2])
    assert.equal((await next.redrive([id]))[0]?.outcome.kind, 'committed')
  })
}
