/** Targets as handlers: what is committed arrives there. */
import { mkdirSync, rmdirSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { open, type Json, type Target } from '../../src/index.ts'
import { memory } from '../../src/stores/memory/index.ts'
import { qdrant } from '../../src/targets/qdrant/index.ts'
import { redis } from '../../src/targets/redis/index.ts'
import { sqliteVec } from '../../src/targets/sqlite-vec/index.ts'
import { webhook } from '../../src/targets/webhook/index.ts'
import { temporaryFolder } from '../support/database-file.ts'
import { next } from '../support/events.ts'
import { HttpServer } from '../support/servers/http.ts'
import { freePort } from '../support/servers/process.ts'

interface DB {
  songs: { id: number; title: string }
}
const secret = `whsec_${Buffer.from('s'.repeat(32)).toString('base64')}`
const schema = 'CREATE TABLE songs (id INTEGER PRIMARY KEY, title TEXT NOT NULL)'

test('law 8 · a write carries its effects into a vector file and to a webhook, and waits for both', async () => {
  const bodies: string[] = []
  const server = await HttpServer.start(({ method, body }) => {
    if (method === 'POST') bodies.push(body)
    return { status: 200, body: '{"taken":true}', headers: { 'content-type': 'application/json' } }
  })
  const vectors = sqliteVec(`${temporaryFolder()}/vectors.db`, { table: 'songs', dimensions: 2 })
  const hook = webhook(server.url, { secret })
  const db = await open<DB>(memory({ schema }))
  await db.effects.handle('embed', vectors)
  await db.effects.handle('hook', hook)
  const receipt = db.insert(
    'songs',
    { id: 7, title: 'one' },
    {
      effects: [
        { kind: 'embed', payload: { op: 'set', vector: [1, 0] } },
        { kind: 'hook', payload: { title: 'one' } },
      ],
    },
  )
  await db.effects.reached('embed', receipt.bookmark)
  await db.effects.reached('hook', receipt.bookmark)
  expect((await vectors.search([1, 0], 1))[0]?.key).toBe('7')
  expect(bodies.map((body) => JSON.parse(body) as unknown)).toMatchObject([
    { type: 'hook', key: '7', data: { title: 'one' } },
  ])
  expect(await db.effects.result(receipt.effectId(1))).toEqual({ taken: true })
  await db.close()
  await vectors.close()
  await hook.close()
  await server.close()
})

const deadHost = `127.0.0.1:${await freePort()}`

test.for<[string, () => Target, Json]>([
  ['webhook', () => webhook(`http://${deadHost}`, { secret }), {}],
  ['redis', () => redis(`redis://${deadHost}`), { op: 'set', value: 1 }],
  ['qdrant', () => qdrant({ url: `http://${deadHost}`, collection: 'songs' }), { op: 'set', vector: [1] }],
])('law 8 · %s that is not there makes no dead letters', async ([, nowhere, payload]) => {
  const target = nowhere()
  const db = await open(memory())
  const alert = next(db, 'alert')
  // Whatever counts is the last attempt.
  await db.effects.handle('index', target, { maxAttempts: 1, retryFirstMs: 1 })
  db.enqueue({ kind: 'index', key: 'a', payload })
  expect(await alert).toMatchObject({ kind: 'targetDown' })
  await db.close()
  await target.close()
})

test.for<[string, (file: string) => void, (file: string) => void]>([
  ['has no folder', () => undefined, (file) => mkdirSync(path.dirname(file))],
  ['is a folder', (file) => mkdirSync(file, { recursive: true }), (file) => rmdirSync(file)],
])(
  'law 8 · while the file of vectors %s, effects wait unharmed, and are delivered when it can be opened',
  async ([, harm, mend]) => {
    const file = `${temporaryFolder()}/later/vectors.db`
    harm(file)
    const vectors = sqliteVec(file, { dimensions: 2 })
    const db = await open(memory())
    const alert = next(db, 'alert')
    await db.effects.handle('embed', vectors, { maxAttempts: 1, retryFirstMs: 1 })
    const { bookmark } = db.enqueue({ kind: 'embed', key: 'a', payload: { op: 'set', vector: [1, 0] } })
    expect(await alert).toMatchObject({ kind: 'targetDown' })
    mend(file)
    await db.effects.reached('embed', bookmark)
    expect(await vectors.search([1, 0], 1)).toMatchObject([{ key: 'a' }])
    expect(await db.effects.deadLetters()).toEqual([])
    await db.close()
    await vectors.close()
  },
)
