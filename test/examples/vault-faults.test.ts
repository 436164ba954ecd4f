/** S0: what goes wrong with folders, notes, disks and models. The message is clear, the rest goes on, nothing is lost. */
import { chmodSync, closeSync, ftruncateSync, mkdirSync, openSync, rmSync, symlinkSync } from 'node:fs'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import { EmbedderUnavailable, type Embedder } from '../../examples/vault/embed/embedder.ts'
import type { Vault } from '../../examples/vault/pipeline/vault.ts'
import { look } from '../support/database-file.ts'
import { withExample } from '../support/examples.ts'
import { OtherProcess } from '../support/other-process.ts'
import { notesFolder, openVault, watcher, write } from './vault-command.ts'

const fine = '# Fine\n\nNothing is wrong with this one.\n'
const strong = { consistency: 'strong', timeoutMs: 30_000 } as const

await withExample('vault', async () => {
  const { Asking } = await import('../../examples/vault/ask/ask.ts')
  const { hashing } = await import('../../examples/vault/embed/hashing.ts')
  const { readNote } = await import('../../examples/vault/notes/read-note.ts')

  async function stateIn(vault: Vault, note: string): Promise<string> {
    const { file } = await new Asking(vault).status(note, strong)
    return file === null ? 'no such note' : [file.state, file.problem].filter(Boolean).join(': ')
  }

  // SPEC S0.8
  test('what is no note is refused and says why; its neighbours are searchable', async () => {
    const { folder, state } = notesFolder({
      'fine.md': fine,
      'binary.md': new Uint8Array([0x23, 0x20, 0, 1, 2, 0xff]),
      'latin.md': Buffer.from('# Caf\xe9\n\nau lait\n', 'latin1'),
      'wide.md': Buffer.from('\uFEFF# Wide', 'utf16le'),
      'folder.md/inside.md': fine,
    })
    symlinkSync('second.md', path.join(folder, 'first.md'))
    symlinkSync('first.md', path.join(folder, 'second.md'))
    const huge = openSync(path.join(folder, 'huge.md'), 'w')
    ftruncateSync(huge, 200 * 2 ** 20)
    closeSync(huge)
    const { vault, said } = await openVault({ folder, state, embedder: hashing })
    await vault.watch()

    expect(await said('huge.md')).toBe(
      'huge.md: it has 200 MiB, more than the 4 MiB of a note. It is left out.',
    )
    expect(await said('latin.md')).toContain('it is not UTF-8: save it as UTF-8')
    expect(await stateIn(vault, 'binary.md')).toBe('refused: it is no text: there is a zero byte at 2')
    expect(await stateIn(vault, 'wide.md')).toBe('refused: it is UTF-16: save it as UTF-8')
    expect(await stateIn(vault, 'first.md')).toBe('refused: it is a link that leads back to itself (ELOOP)')
    expect(await stateIn(vault, 'folder.md')).toBe('no such note')
    expect(await stateIn(vault, 'folder.md/inside.md')).toBe('searchable')
    expect(await stateIn(vault, 'fine.md')).toBe('searchable')

    // It was found before; then it is spoilt, and then mended.
    write(folder, 'fine.md', new Uint8Array([0, 0]))
    expect(await stateIn(vault, 'fine.md')).toContain('refused')
    const { found } = await new Asking(vault).search('nothing is wrong', strong)
    expect(found.map((one) => one.path)).toEqual(['folder.md/inside.md'])
    write(folder, 'fine.md', fine)
    expect(await stateIn(vault, 'fine.md')).toBe('searchable')
  })

  test('a path that leads out of the folder is no note, whoever asks for it', async () => {
    const { folder, state } = notesFolder({ 'fine.md': fine })
    write(path.dirname(folder), 'outside.md', fine)
    const { vault } = await openVault({ folder, state, embedder: hashing })
    const outside = [
      '../outside.md',
      path.join(path.dirname(folder), 'outside.md'),
      'deep/../fine.md',
      'a\0.md',
    ]
    for (const note of outside) expect(await stateIn(vault, note), note).toBe('no such note')
    expect([...vault.index.paths()]).toEqual([])
  })

  test('of 200 MB nothing is read', async () => {
    const { folder } = notesFolder({})
    const huge = openSync(path.join(folder, 'huge.md'), 'w')
    ftruncateSync(huge, 200 * 2 ** 20)
    closeSync(huge)
    const before = process.memoryUsage().arrayBuffers
    expect(await readNote(folder, 'huge.md')).toMatchObject({ kind: 'refused', size: 200 * 2 ** 20 })
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 20)
  })

  test('a note that may not be read is refused, and read once it may be', async ({ skip }) => {
    const { folder, state } = notesFolder({ 'fine.md': fine, 'secret.md': fine })
    const secret = path.join(folder, 'secret.md')
    chmodSync(secret, 0o000)
    mkdirSync(state)
    chmodSync(state, 0o777)
    chmodSync(path.dirname(folder), 0o755)
    // Permissions mean nothing to root, so its watcher is "nobody".
    const watching = watcher(folder, process.getuid?.() === 0 ? { user: 65_534 } : {}, '--state', state)
    const ended = watching.ended.then(() => {
      if (/EACCES|MODULE_NOT_FOUND/.test(watching.stderr)) skip('another user may not read the sources here')
    })
    await Promise.race([ended, watching.said('refused secret.md')])
    await watching.said('searchable fine.md')
    expect(watching.lines).toContain(
      'secret.md: it may not be read (EACCES): see its permissions. It is left out.',
    )
    chmodSync(secret, 0o644)
    await watching.said('searchable secret.md')
  })

  test('while the embedder is down, notes wait and say so; when it is back they go on by themselves', async () => {
    const { folder, state } = notesFolder({ 'fine.md': fine })
    let isDown = true
    const flaky: Embedder = {
      ...hashing,
      embed: (...given) =>
        isDown ? Promise.reject(new EmbedderUnavailable('no answer')) : hashing.embed(...given),
    }
    const handling = { retryFirstMs: 10, retryMaxMs: 40 }
    const { vault, said } = await openVault({ folder, state, embedder: flaky, handling })
    await vault.watch()
    expect(await said('embedder')).toContain('cannot be reached')
    const asking = new Asking(vault)
    const eventual = await asking.status('fine.md', { consistency: 'readAfterWrite', timeoutMs: 30_000 })
    expect(eventual).toMatchObject({ file: { state: 'written' }, pending: [{ isEmbedding: true }] })
    const late = await asking.status('fine.md', { consistency: 'strong', timeoutMs: 50 })
    expect(late).toMatchObject({ file: null, pending: [{ path: 'fine.md', isEmbedding: true }] })
    expect(late.stale).toMatch(/unfinished|looked at/)

    isDown = false
    expect(await stateIn(vault, 'fine.md')).toBe('searchable')
    expect(await vault.metadata.db.effects.deadLetters()).toEqual([])
  })

  test('a text that cannot be embedded fails its own note, and no other', async () => {
    const { folder, state } = notesFolder({ 'a.md': fine, 'bad.md': '# Bad\n\npoison\n', 'c.md': fine })
    const picky: Embedder = {
      ...hashing,
      embed: (texts, signal) =>
        texts.some((text) => text.includes('poison'))
          ? Promise.reject(new Error('this text is too strange'))
          : hashing.embed(texts, signal),
    }
    const handling = { retryFirstMs: 5, retryMaxMs: 10 }
    const { vault } = await openVault({ folder, state, embedder: picky, handling })
    await vault.watch()
    expect(await stateIn(vault, 'bad.md')).toBe('failed: it cannot be embedded: this text is too strange')
    expect(await stateIn(vault, 'a.md')).toBe('searchable')
    expect(await stateIn(vault, 'c.md')).toBe('searchable')
    write(folder, 'bad.md', fine)
    expect(await stateIn(vault, 'bad.md')).toBe('searchable')
  })

  test('a folder that is gone takes nothing out of the index; when it is back, what is there counts', async () => {
    const { folder, state } = notesFolder({ 'a.md': fine, 'deep/b.md': fine })
    const { vault, said } = await openVault({ folder, state, embedder: hashing })
    await vault.watch()
    await vault.settled()
    rmSync(folder, { recursive: true })
    expect(await said('is gone')).toContain('is kept')
    expect([...vault.index.paths()].toSorted()).toEqual(['a.md', 'deep/b.md'])
    const { found } = await new Asking(vault).search('nothing wrong', {
      consistency: 'eventual',
      timeoutMs: 30_000,
    })
    expect(found).toHaveLength(2)

    mkdirSync(folder)
    write(folder, 'a.md', `${fine}\nMore.\n`)
    await said('is back')
    await said(/watching .*: 1 notes/)
    expect(await stateIn(vault, 'a.md')).toBe('searchable')
    expect(await stateIn(vault, 'deep/b.md')).toBe('no such note')
  })

  test('while the disk is full, notes wait; when there is room they are written, none is lost', async () => {
    const { folder, state } = notesFolder({})
    const first = await openVault({ folder, state, embedder: hashing })
    await first.vault.close()
    const file = path.join(state, 'vault.db')
    const ballast = new DatabaseSync(file)
    ballast.exec(`CREATE TABLE ballast (bytes BLOB);
      WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 300)
      INSERT INTO ballast SELECT zeroblob(4000) FROM n;`)
    ballast.close()
    const [{ page_count: pages } = { page_count: 0 }] = look<{ page_count: number }>(
      file,
      'PRAGMA page_count',
    )
    for (let n = 0; n < 60; n++)
      write(folder, `note-${n}.md`, `# Note ${n}\n\n${`words of ${n} `.repeat(200)}`)

    const { vault, said } = await openVault({ folder, state, embedder: hashing, maxPageCount: pages + 8 })
    await vault.watch()
    expect(await said(/full/i)).toContain('until there is room')
    const asking = new Asking(vault)
    const now = await asking.status('note-59.md', { consistency: 'eventual', timeoutMs: 1_000 })
    expect(now.stale).toBeUndefined()
    await new OtherProcess(file).run('DELETE FROM ballast')
    await vault.settled()
    expect(vault.index.counts).toMatchObject({ searchable: 60, accepted: 0, written: 0, failed: 0 })
    expect((await vault.metadata.files()).filter((row) => row.state === 'searchable')).toHaveLength(60)
  })
})
