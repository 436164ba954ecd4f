/** S0: a folder of notes that is watched, and searched by what it says, through the command that its users have. */
import { existsSync, readFileSync, realpathSync, renameSync, rmSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import type { SearchAnswer, StatusAnswer } from '../../examples/vault/ask/ask.ts'
import { temporaryFolder } from '../support/database-file.ts'
import { withExample } from '../support/examples.ts'
import { withServer } from '../support/servers/installed.ts'
import { embeddedPostgres } from '../support/servers/postgres.ts'
import { notesFolder, openVault, start, vault, watcher, write } from './vault-command.ts'

const strong = { consistency: 'strong', timeoutMs: 60_000 } as const
const bread = '# Bread\n\nFlour, water, salt and yeast; an hour in the oven.\n'
const sails = '# Sails\n\nHoist the mainsail before the wind turns to the harbour.\n'

await withExample('vault', async () => {
  const { askWatcher } = await import('../../examples/vault/ask/client.ts')
  const { hashing } = await import('../../examples/vault/embed/hashing.ts')
  const { model } = await import('../../examples/vault/embed/model.ts')
  const { Notes } = await import('../../examples/vault/fixtures.ts')
  const { indexHash } = await import('../../examples/vault/index-hash.ts')
  const { killRounds } = await import('../../examples/vault/kill.ts')
  const { seeded } = await import('../../examples/vault/seeded.ts')
  const { Asking } = await import('../../examples/vault/ask/ask.ts')

  async function asked<T>(folder: string, state: string, ...question: readonly string[]): Promise<T> {
    const { stdout, stderr, code } = await vault(...question, '--json', '--folder', folder, '--state', state)
    expect(code, stderr).toBe(0)
    return JSON.parse(stdout) as T
  }

  // SPEC S0.8
  test('whoever saves, renames and removes notes finds that in strong answers of the watcher, and of nobody else', async () => {
    const { folder, state } = notesFolder({ 'bread.md': bread, 'deep/sails.md': sails })
    const watching = watcher(folder, {}, '--state', state)
    await watching.said('watching')

    const status = await asked<StatusAnswer>(folder, state, 'status', 'bread.md', '--consistency', 'strong')
    expect(status).toMatchObject({ file: { state: 'searchable', title: 'Bread', pieces: 1 }, pending: [] })
    expect(status.seen[0]).toMatchObject({ writer: 'vault' })
    const found = await asked<SearchAnswer>(
      folder,
      state,
      'search',
      'salt and flour',
      '--consistency',
      'strong',
    )
    expect(found.found[0]).toMatchObject({ path: 'bread.md', heading: 'Bread', line: 3 })
    expect(found).toMatchObject({ notSearchable: 0, outdated: 0 })

    const place = JSON.parse(readFileSync(path.join(state, 'watcher.json'), 'utf8')) as {
      port: number
      pid: number
    }
    const asking = askWatcher(place)
    write(folder, 'rolls.md', '# Rolls\n\nFlour, water, salt and yeast; half an hour in the oven.\n')
    renameSync(path.join(folder, 'deep/sails.md'), path.join(folder, 'deep/canvas.md'))
    await asking.status('rolls.md', strong)
    expect((await asking.related('bread.md', strong)).found[0]?.path).toBe('rolls.md')
    await asking.status('deep/canvas.md', { ...strong, consistency: 'readAfterWrite' })
    expect((await asking.status('deep/sails.md', strong)).file).toBeNull()
    const canvas = await asking.search('hoist the mainsail', strong)
    expect(canvas.found.map((one) => one.path)).toEqual([
      'deep/canvas.md',
      expect.any(String),
      expect.any(String),
    ])

    const second = watcher(folder, {}, '--state', state)
    expect(await second.ended).toMatchObject({ code: 1 })
    expect(second.stderr).toContain('is watched already')
    watching.stop()
    expect(await watching.ended).toMatchObject({ code: 0 })
    // Nobody watches: the files of the vault are asked.
    rmSync(path.join(folder, 'rolls.md'))
    const alone = await asked<StatusAnswer>(folder, state, 'status', 'rolls.md', '--consistency', 'strong')
    expect(alone.file).toBeNull()
  })

  test('`npm start -- FOLDER` watches a folder named from where it is called, and keeps it in an embedded SurrealDB', async () => {
    const { folder } = notesFolder({ 'bread.md': bread })
    const { said } = start(path.dirname(folder), path.basename(folder), '--events')
    expect(await said('watching')).toBe(`watching ${realpathSync(folder)}: 1 notes`)
    await said('searchable bread.md')
    expect(existsSync(path.join(folder, '.vault', 'vault', 'LOCK'))).toBe(true)
  })

  test('a thousand notes at once, edited, replaced, renamed and removed, end as a fresh index of what is left', async () => {
    const place = temporaryFolder()
    const folder = path.join(place, 'notes')
    const notes = new Notes(folder, seeded(5))
    for (let n = 0; n < 400; n++) notes.add()
    const { vault: watched } = await openVault({ folder, state: path.join(place, 'a'), embedder: hashing })
    await watched.watch()
    for (let n = 0; n < 600; n++) notes.add()
    for (let n = 0; n < 400; n++) notes.disturb()
    // What the events told is not known here: each path is asked for, those that are gone too.
    await Promise.all([...notes.paths, ...watched.index.paths()].map((note) => watched.looks.now(note)))
    await watched.settled()

    const { vault: fresh } = await openVault({ folder, state: path.join(place, 'b'), embedder: hashing })
    await fresh.watch()
    await fresh.settled()
    expect(fresh.index.counts).toMatchObject({ searchable: notes.paths.length, written: 0, refused: 0 })
    expect(await indexHash(watched)).toBe(await indexHash(fresh))
  })

  test('a heading with nothing below it is found by its own words, and a note that is no more than one', async () => {
    const { folder, state } = notesFolder({
      'milk.md': '# Buy oat milk\n',
      'week.md': '# Week\n\n## Monday\n\nRest.\n\n## Paint the fence\n### Twice\n\nWalls\n=====\n',
    })
    const { vault: watched } = await openVault({ folder, state, embedder: hashing })
    await watched.watch()
    const found = async (words: string): Promise<unknown> => {
      const [first] = (await new Asking(watched).search(words, strong)).found
      return [first?.path, first?.line, first?.heading, first?.text]
    }
    expect(await found('oat milk')).toEqual(['milk.md', 1, '', 'Buy oat milk'])
    expect(await found('paint fence twice')).toEqual(['week.md', 8, 'Week › Paint the fence', 'Twice'])
    expect(await found('walls')).toEqual(['week.md', 10, '', 'Walls'])
    expect((await watched.metadata.piecesOf(['week.md'])).length).toBe(3)
  })

  test('the model finds what is meant by other words, and gives a text the same vector alone and among others', async () => {
    const { folder, state } = notesFolder({ 'bread.md': bread, 'sails.md': sails, 'empty.md': '' })
    const { vault: watched } = await openVault({ folder, state, embedder: model({ threads: 1 }) })
    await watched.watch()
    const { found } = await new Asking(watched).search('baking a loaf', strong)
    expect(found.map(({ path: note }) => note)).toEqual(['bread.md', 'sails.md'])
    const { signal } = new AbortController()
    const one = model({ threads: 1 })
    const texts = ['a ship at sea', 'b', 'the oven is hot '.repeat(60)]
    const together = await one.embed(texts, signal)
    for (const [at, text] of texts.entries()) {
      const [alone] = await one.embed([text], signal)
      expect(Math.max(...together[at]!.map((value, place) => Math.abs(value - alone![place]!)))).toBeLessThan(
        1e-4,
      )
    }
    await one.close()
  })

  test('another embedder, or vectors that were lost: everything is embedded again, and nothing is called searchable before', async () => {
    const { folder, state } = notesFolder({ 'bread.md': bread, 'sails.md': sails })
    const first = await openVault({ folder, state, embedder: hashing })
    await first.vault.watch()
    await first.vault.settled()
    await first.vault.close()
    for (const ending of ['', '-wal', '-shm'])
      rmSync(path.join(state, `vectors.db${ending}`), { force: true })
    const again = await openVault({ folder, state, embedder: hashing })
    const [row] = (await again.vault.metadata.file('bread.md', { consistency: 'eventual' })).rows
    expect(row).toMatchObject({ state: 'written', searchable_ms: null })
    await again.vault.watch()
    await again.vault.settled()
    expect(again.vault.index.counts).toMatchObject({ searchable: 2 })
    expect(await again.vault.vectors.search(new Float32Array(256).fill(1), 9)).toHaveLength(2)
    await again.vault.close()
    const another = { folder, state, embedder: { ...hashing, name: 'another' } }
    await expect(openVault({ ...another, ofAnother: 'refuse' })).rejects.toThrow(
      'are of hashing-256 in sqlite, not another in sqlite',
    )
    const other = await openVault(another)
    expect(other.vault.index.counts).toMatchObject({ searchable: 0, written: 2 })
  })

  test('a vault that goes on in another store finds what is saved there', async () => {
    const { folder, state } = notesFolder({ 'bread.md': bread })
    for (const text of ['# Rye\n', '# Spelt\n', bread]) {
      write(folder, 'bread.md', text)
      const { vault: first } = await openVault({ folder, state, embedder: hashing })
      await first.looks.now('bread.md')
      await first.settled()
      await first.close()
    }
    const place = { folder, state, embedder: hashing, store: 'surrealdb', url: 'mem://' } as const
    const { vault: other } = await openVault(place)
    write(folder, 'bread.md', sails)
    const asking = new Asking(other)
    await asking.status('bread.md', strong)
    expect((await asking.search('hoist the mainsail', strong)).found[0]?.path).toBe('bread.md')
  })

  test.each([
    { store: 'surrealdb', kills: 2 },
    { store: 'sqlite', kills: 2 },
  ] as const)(
    'on $store watchers that are killed with -9 leave what the next one makes the index of a fresh run of',
    async ({ store, kills }) => {
      const seed = Number(process.env['TIDEMARK_CRASH_SEED'] ?? Math.floor(Math.random() * 1_000_000))
      console.log(`TIDEMARK_CRASH_SEED=${seed}`)
      const { differences, compared, moments } = await killRounds({ store, kills, seed, files: 60 })
      console.log(`killed behind ${JSON.stringify(moments)}`)
      expect(differences).toEqual([])
      expect(compared).toBeGreaterThan(0)
    },
  )

  test('on SurrealDB a vault holds and finds the same, and forgets what is gone', async () => {
    const { folder, state } = notesFolder({ 'bread.md': bread, 'sails.md': sails })
    const place = { folder, state, embedder: hashing, store: 'surrealdb', url: 'mem://' } as const
    const { vault: watched } = await openVault(place)
    await watched.watch()
    const asking = new Asking(watched)
    expect(await asking.status('bread.md', strong)).toMatchObject({
      file: { state: 'searchable', size: bread.length },
      pending: [],
    })
    expect((await asking.search('mainsail and wind', strong)).found[0]?.path).toBe('sails.md')
    rmSync(path.join(folder, 'sails.md'))
    expect((await asking.status('sails.md', strong)).file).toBeNull()
    expect((await asking.search('mainsail and wind', strong)).found.map((found) => found.path)).not.toContain(
      'sails.md',
    )
    await watched.close()
  })

  await withServer(embeddedPostgres, (server) => {
    test('on PostgreSQL a vault holds and finds the same', async () => {
      const { folder, state } = notesFolder({ 'bread.md': bread, 'sails.md': sails })
      const url = await server.createDatabase()
      const { vault: watched } = await openVault({ folder, state, embedder: hashing, store: 'postgres', url })
      await watched.watch()
      const asking = new Asking(watched)
      expect(await asking.status('bread.md', strong)).toMatchObject({
        file: { state: 'searchable', size: bread.length },
        pending: [],
      })
      expect((await asking.search('mainsail and wind', strong)).found[0]?.path).toBe('sails.md')
      await watched.settled()
      const { vault: onSqlite } = await openVault({ folder, state: `${state}-sqlite`, embedder: hashing })
      await onSqlite.watch()
      await onSqlite.settled()
      expect(await indexHash(watched)).toBe(await indexHash(onSqlite))
    })
  })
})
