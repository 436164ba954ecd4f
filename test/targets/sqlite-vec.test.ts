/** The sqlite-vec target, on files. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { load } from 'sqlite-vec'
import { afterAll, describe, expect, test } from 'vitest'
import type { Effect, EffectOutcome, Target } from '../../src/index.ts'
import {
  sqliteVec,
  type SqliteVecOptions,
  type SqliteVecPayload,
} from '../../src/targets/sqlite-vec/index.ts'
import { effectOf, targetConformance } from '../../src/testing/index.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'tidemark-vectors-'))
afterAll(() => rmSync(folder, { recursive: true }))
let files = 0
const freshFile = (): string => path.join(folder, `${++files}.db`)
const payload = (given: SqliteVecPayload): SqliteVecPayload => given

/** Looks and acts past the target. */
function outside(file: string): DatabaseSync {
  const database = new DatabaseSync(file, { allowExtension: true })
  load(database)
  return database
}

targetConformance(
  {
    name: 'sqlite-vec',
    async fresh() {
      const file = freshFile()
      return {
        target: sqliteVec(file, { dimensions: 2 }),
        put: (value) => payload({ op: 'set', vector: [1, value] }),
        remove: () => payload({ op: 'delete' }),
        bad: payload({ op: 'set', vector: [1, 2, 3] }),
        async held(key) {
          const database = outside(file)
          const row = database
            .prepare(
              'SELECT vec_to_json(vector) AS vector FROM vectors JOIN vectors_versions USING (id) WHERE key = ?',
            )
            .get(key)
          database.close()
          return row && (JSON.parse(row['vector'] as string) as number[])[1]
        },
        dispose: async () => undefined,
      }
    },
    nowhere: () => sqliteVec(path.join(folder, 'no such folder', 'x.db'), { dimensions: 2 }),
    async silent() {
      const file = freshFile()
      const database = outside(file)
      database.exec('PRAGMA journal_mode = WAL; BEGIN IMMEDIATE')
      return { target: sqliteVec(file, { dimensions: 2 }), dispose: async () => database.close() }
    },
  },
  { describe, test },
)

async function outcomesOf(target: Target, ...effects: Effect[]): Promise<readonly EffectOutcome<unknown>[]> {
  return (await target.deliver(effects, { signal: new AbortController().signal })) ?? []
}

async function onFile(
  options: Partial<SqliteVecOptions>,
  run: (target: ReturnType<typeof sqliteVec>, file: string) => Promise<void>,
): Promise<void> {
  const file = freshFile()
  const target = sqliteVec(file, { dimensions: 3, ...options })
  try {
    await run(target, file)
  } finally {
    await target.close()
  }
}

const set = (key: string, version: number, vector: readonly number[], metadata?: string) =>
  effectOf(key, version, payload({ op: 'set', vector, ...(metadata !== undefined && { metadata }) }))

describe('sqlite-vec', () => {
  test('search finds the nearest first, with what was kept beside them', async () => {
    await onFile({}, async (target) => {
      await outcomesOf(target, set('x', 1, [1, 0, 0], 'east'), set('y', 1, [0, 1, 0]), set('z', 1, [0, 0, 1]))
      const hits = await target.search([0.9, 0.1, 0], 2)
      expect(hits).toEqual([
        { kind: 'index', key: 'x', distance: expect.closeTo(0.006, 3), metadata: 'east' },
        { kind: 'index', key: 'y', distance: expect.closeTo(0.89, 2), metadata: null },
      ])
      await outcomesOf(target, effectOf('x', 2, payload({ op: 'delete' })), set('y', 2, [1, 0, 0], 'moved'))
      expect((await target.search(new Float32Array([1, 0, 0]), 4_096)).map(({ key }) => key)).toEqual([
        'y',
        'z',
      ])
    })
  })

  test('by each distance that it knows', async () => {
    for (const [distance, expected] of [
      ['cosine', 0],
      ['l2', 5],
      ['l1', 7],
    ] as const) {
      await onFile({ distance, dimensions: 2 }, async (target) => {
        await outcomesOf(target, set('a', 1, [6, 8]))
        const [hit] = await target.search([3, 4], 1)
        expect(hit?.distance).toBeCloseTo(expected, 5)
      })
    }
  })

  test('law 8 · what a trigger refuses is dead alone, and leaves neither version nor vector', async () => {
    await onFile({}, async (target, file) => {
      await outcomesOf(target, set('b', 1, [1, 0, 0]))
      const database = outside(file)
      database.exec(`CREATE TRIGGER refuse BEFORE UPDATE ON vectors_versions WHEN new.metadata = '"no"'
        BEGIN SELECT RAISE(ABORT, 'not this one'); END`)
      const outcomes = await outcomesOf(
        target,
        set('a', 2, [0, 1, 0]),
        set('b', 2, [0, 1, 0], 'no'),
        set('c', 2, [0, 1, 0]),
      )
      expect(outcomes).toMatchObject([
        undefined,
        { kind: 'dead', error: { code: 'EFFECT_REFUSED', message: expect.stringContaining('not this one') } },
        undefined,
      ])
      const held = database.prepare('SELECT key, version FROM vectors_versions ORDER BY key').all()
      expect(held.map((row) => Object.values(row))).toEqual([
        ['a', 2],
        ['b', 1],
        ['c', 2],
      ])
      expect((await target.search([1, 0, 0], 1))[0]?.key).toBe('b')
      database.close()
    })
  })

  test('law 8 · an error of the extension is tried again, alone', async () => {
    await onFile({}, async (target, file) => {
      await outcomesOf(target, set('a', 1, [1, 0, 0]), set('b', 1, [1, 0, 0]))
      const database = outside(file)
      // A part of the extension's own table is lost: nothing that this effect could be blamed for.
      database.exec('DROP TABLE vectors_vector_chunks00')
      const outcomes = await outcomesOf(
        target,
        set('a', 2, [0, 1, 0]),
        effectOf('c', 2, payload({ op: 'delete' })),
      )
      expect(outcomes).toMatchObject([{ kind: 'retry', error: { code: 'TARGET_FAILED' } }, undefined])
      const versions = database.prepare('SELECT key, version FROM vectors_versions ORDER BY key').all()
      expect(versions.map(({ key, version }) => [key, version])).toEqual([
        ['a', 1],
        ['b', 1],
        ['c', 2],
      ])
      database.close()
    })
  })

  test('law 8 · while somebody else writes, a batch is tried again, and nothing of it is there', async () => {
    await onFile({}, async (target, file) => {
      await outcomesOf(target, set('a', 1, [1, 0, 0]))
      const database = outside(file)
      database.exec('BEGIN IMMEDIATE')
      expect(await outcomesOf(target, set('a', 2, [0, 1, 0]))).toMatchObject([
        {
          kind: 'retry',
          isOverload: true,
          error: { code: 'TARGET_FAILED', message: expect.stringMatching(/BUSY/) },
        },
      ])
      expect((await target.search([1, 0, 0], 1))[0]?.distance).toBeCloseTo(0)
      database.exec('ROLLBACK')
      database.close()
      expect(await outcomesOf(target, set('a', 2, [0, 1, 0]))).toEqual([undefined])
    })
  })

  test('law 8 · versions outlive the process, and tombstones only their time', async () => {
    const file = freshFile()
    const first = sqliteVec(file, { dimensions: 2 })
    await outcomesOf(first, set('a', 5, [1, 0]), effectOf('b', 5, payload({ op: 'delete' })))
    await first.close()
    const again = sqliteVec(file, { dimensions: 2, tombstoneMs: 60_000 })
    await outcomesOf(again, set('a', 4, [0, 1]), set('b', 4, [0, 1]))
    expect(await again.search([1, 0], 5)).toMatchObject([{ key: 'a', distance: 0 }])
    const database = outside(file)
    database.exec('UPDATE vectors_versions SET removed_ms = removed_ms - 70000')
    await outcomesOf(again, set('c', 1, [0, 1]))
    expect(database.prepare('SELECT key FROM vectors_versions ORDER BY key').all()).toMatchObject([
      { key: 'a' },
      { key: 'c' },
    ])
    database.close()
    await again.close()
  })

  test('law 8 · a table of other vectors is left as it is, and is down', async () => {
    const file = freshFile()
    const first = sqliteVec(file, { dimensions: 2 })
    await outcomesOf(first, set('a', 1, [1, 0]))
    for (const options of [{ dimensions: 3 }, { dimensions: 2, distance: 'l2' }] as const) {
      const other = sqliteVec(file, options)
      const outcomes = await outcomesOf(other, set('a', 2, options.dimensions === 3 ? [1, 0, 0] : [1, 0]))
      expect(outcomes).toMatchObject([
        { kind: 'retry', isOverload: true, error: { message: expect.stringContaining('is not of') } },
      ])
      await expect(other.search(options.dimensions === 3 ? [1, 0, 0] : [1, 0], 1)).rejects.toThrow(
        /float\[2\]/,
      )
      await other.close()
    }
    const beside = sqliteVec(file, { dimensions: 3, table: 'Other' })
    expect(await outcomesOf(beside, set('a', 1, [1, 0, 0]))).toEqual([undefined])
    await beside.close()
    await first.close()
  })

  const noDatabase = 'no database, and longer than the header of one would be: '.repeat(200)

  test('law 8 · a file that is no database is down, and found when it is mended', async () => {
    await onFile({}, async (target, file) => {
      writeFileSync(file, noDatabase)
      expect(await outcomesOf(target, set('a', 1, [1, 0, 0]))).toMatchObject([
        { kind: 'retry', isOverload: true, error: { message: expect.stringContaining('SQLITE_NOTADB') } },
      ])
      rmSync(file)
      expect(await outcomesOf(target, set('a', 1, [1, 0, 0]))).toEqual([undefined])
    })
  })

  test('law 8 · a file that is damaged while it is open is down, and found when another takes its place', async () => {
    await onFile({}, async (target, file) => {
      await outcomesOf(target, set('a', 1, [1, 0, 0]))
      const database = outside(file)
      database.exec('PRAGMA wal_checkpoint(TRUNCATE)')
      database.close()
      writeFileSync(file, noDatabase)
      expect(await outcomesOf(target, set('a', 2, [0, 1, 0]))).toMatchObject([
        { kind: 'retry', isOverload: true, error: { message: expect.stringContaining('SQLITE_') } },
      ])
      for (const ending of ['', '-wal', '-shm']) rmSync(file + ending, { force: true })
      expect(await outcomesOf(target, set('a', 2, [0, 1, 0]))).toEqual([undefined])
      expect((await target.search([0, 1, 0], 1))[0]?.distance).toBeCloseTo(0)
    })
  })

  test('what no vector can be is dead before the file is touched', async () => {
    await onFile({}, async (target) => {
      const bad = [
        null,
        { op: 'get' },
        { op: 'set' },
        { op: 'set', vector: [] },
        { op: 'set', vector: ['1', '2', '3'] },
        { op: 'set', vector: [1, 2, 1e39] },
        { op: 'set', vector: [0, 0, 0] },
        { op: 'set', vector: [1, 2, 3], more: 1 },
        { op: 'delete', vector: [1, 2, 3] },
      ]
      const outcomes = await outcomesOf(target, ...bad.map((one, index) => effectOf(`${index}`, 1, one)))
      expect(outcomes.map((outcome) => outcome?.kind)).toEqual(bad.map(() => 'dead'))
      expect(await target.search([1, 0, 0], 9)).toEqual([])
    })
  })

  test('a search that cannot be is refused', async () => {
    await onFile({}, async (target) => {
      const searches: [number[], number, RegExp][] = [
        [[1, 0], 1, /must have 3 numbers, not 2/],
        [[1, 0, Number.NaN], 1, /32 bits/],
        [[0, 0, 0], 1, /no direction/],
        [[1, 0, 0], 0, /k must be/],
        [[1, 0, 0], 4_097, /k must be/],
      ]
      for (const [vector, k, says] of searches) {
        await expect(target.search(vector, k)).rejects.toThrow(
          expect.objectContaining({ code: 'INVALID_CALL', message: expect.stringMatching(says) }),
        )
      }
    })
  })

  test('all problems of the options are told at once', () => {
    expect(() => sqliteVec(':memory:', { table: 'a; DROP', distance: 'far', size: 1 } as never)).toThrow(
      /table must be letters.*; distance must be one of cosine, l2, l1; size is not an option.*; path must be the path of a file; dimensions is missing/,
    )
    expect(() => sqliteVec('x.db', { dimensions: 8_193 })).toThrow(/1 to 8192/)
  })
})
