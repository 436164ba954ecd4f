import { execFileSync } from 'node:child_process'
import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  renameSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { gzipSync } from 'node:zlib'

import { describe, expect, test } from 'vitest'
import { Folder, openChunks, openPath, readAll, readOn, readPath, refusalOf } from './input.fixture.ts'
import { inputErrorFrom } from './input-error.ts'
import { openSource } from './open-source.ts'

const LINES = Array.from({ length: 500 }, (_, index) => `2024-05-01 12:00:00 line number ${index}\n`)
const LOG = LINES.join('')

describe('what cannot be read says so before anything is', () => {
  test('a missing file', async () => {
    const folder = new Folder()
    const error = await refusalOf(openPath(join(folder.path, 'none.log')))
    expect(error).toMatchObject({ code: 'INPUT_NOT_FOUND', message: expect.stringContaining('none.log') })
    expect(error.hint).not.toBe('')
  })

  test('a path through a file', async () => {
    const folder = new Folder()
    const error = await refusalOf(openPath(join(folder.write('a', 'x'), 'b.log')))
    expect(error.code).toBe('INPUT_NOT_FOUND')
  })

  test('a directory', async () => {
    const folder = new Folder()
    expect((await refusalOf(openPath(folder.path))).code).toBe('INPUT_IS_DIRECTORY')
  })

  test('a file that may not be read', async () => {
    const folder = new Folder()
    const path = folder.write('secret.log', LOG)
    chmodSync(path, 0o000)
    // The superuser may read everything, so for it the system's answer is taken as given.
    const denied = Object.assign(new Error('denied'), { code: 'EACCES' })
    const error = process.getuid?.() === 0 ? inputErrorFrom(denied, path) : await refusalOf(openPath(path))
    expect(error).toMatchObject({ code: 'INPUT_UNREADABLE', message: `${path} may not be read by this user` })
  })

  test('any other answer of the system is passed on', () => {
    const broken = Object.assign(new Error('EIO: i/o error'), { code: 'EIO' })
    expect(inputErrorFrom(broken, 'x')).toMatchObject({ code: 'INPUT_UNREADABLE', cause: broken })
    expect(inputErrorFrom(broken, 'x').message).toContain('EIO: i/o error')
  })

  test.each([
    ['a binary', Buffer.concat([Buffer.from('\x7fELF'), Buffer.alloc(100)]), 'INPUT_BINARY', /offset 4/],
    ['UTF-16', Buffer.from('\uFEFFhello\n', 'utf16le'), 'INPUT_ENCODING', /UTF-16/],
    [
      'UTF-16 the other way round',
      Buffer.from('\uFEFFhello\n', 'utf16le').swap16(),
      'INPUT_ENCODING',
      /UTF-16/,
    ],
    ['zstd', Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 1, 2]), 'INPUT_COMPRESSION', /zstd/],
    ['xz', Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0, 1]), 'INPUT_COMPRESSION', /xz/],
    ['bzip2', Buffer.from('BZh91AY&SY'), 'INPUT_COMPRESSION', /bzip2/],
    ['gzip around a binary', gzipSync(Buffer.alloc(100)), 'INPUT_BINARY', /NUL/],
  ])('%s, as a file and as a stream', async (_, bytes, code, message) => {
    const folder = new Folder()
    const file = await refusalOf(openPath(folder.write('x.log', bytes)))
    const stream = await refusalOf(openChunks([bytes]))
    for (const error of [file, stream])
      expect(error).toMatchObject({ code, message: expect.stringMatching(message) })
  })

  test('text that begins like bzip2 is text', async () => {
    expect((await readAll(await openChunks(['BZh9 is how it begins\n']))).rows).toHaveLength(1)
  })

  test('NUL bytes further on are a matter of their line', async () => {
    const folder = new Folder()
    const reading = await readPath(folder.write('x.log', `${LOG}a\0b\n${LOG}`))
    expect([reading.rows.length, reading.bad.map((bad) => bad.line)]).toEqual([1_000, [501]])
  })
})

describe('a source is known again', () => {
  test('by its key when it is renamed, and not as another file', async () => {
    const folder = new Folder()
    const path = folder.write('a.log', LOG)
    const source = await openPath(path)
    await source.close()
    renameSync(path, `${path}.1`)
    const renamed = await openPath(`${path}.1`)
    const other = await openPath(folder.write('a.log', LOG))
    expect(renamed.key).toBe(source.key)
    expect(other.key).not.toBe(source.key)
    const { checkpoint } = await readAll(renamed)
    if (checkpoint === undefined) throw new Error('no checkpoint')
    expect(await other.matches(checkpoint)).toEqual({ kind: 'new', reason: 'it is another file' })
    await other.close()
  })

  test('a file that did not change has nothing more', async () => {
    const folder = new Folder()
    const path = folder.write('a.log', LOG)
    const again = await readOn(path, await readPath(path))
    expect([again.rows, again.bad, again.incomplete]).toEqual([[], [], null])
  })

  test.each([10, 100, 500])('an appended file goes on, also when it was short (%d lines)', async (count) => {
    const folder = new Folder()
    const path = folder.write('a.log', LINES.slice(0, count).join(''))
    const first = await readPath(path)
    appendFileSync(path, LOG)
    const second = await readOn(path, first)
    expect(second.rows).toHaveLength(500)
    expect(second.checkpoint?.line).toBe(count + 500)
    appendFileSync(path, 'one more\n')
    expect((await readOn(path, second)).rows).toHaveLength(1)
  })

  test('an empty file goes on when it is no longer empty', async () => {
    const folder = new Folder()
    const path = folder.write('a.log', '')
    expect((await readPath(path)).rows).toEqual([])
    appendFileSync(path, LOG)
    expect((await readPath(path)).rows).toHaveLength(500)
  })

  test('what is behind the checkpoint may change as it likes', async () => {
    const folder = new Folder()
    const path = folder.write('a.log', '{"msg":"a"}\n{"msg":"half a message')
    const first = await readPath(path)
    expect(first.rows).toHaveLength(1)
    for (const other of ['other', 'o']) {
      folder.write('a.log', `{"msg":"a"}\n{"msg":"${other}"}\n`)
      expect((await readOn(path, first)).rows).toMatchObject([{ message: other }])
    }
  })

  test.each([
    ['cut', LOG.slice(0, 1_000), /^it was cut or replaced: it has 1000 bytes where \d+ had been read$/],
    ['replaced', `x${LOG}`, /^it was replaced: its first 4096 bytes are not those that were read$/],
    ['edited further on', LOG.replace('number 300\n', 'number 3OO\n'), undefined],
    [
      'edited, and longer',
      LOG.replace('number 300\n', 'number three hundred\n'),
      /^it was changed before byte/,
    ],
    [
      'edited just before',
      LOG.replace('number 499\n', 'number 4\u00399\n').replace('number 498', 'number xxx'),
      /^it was changed/,
    ],
  ])('a file that was %s', async (_, content, reason) => {
    const folder = new Folder()
    const path = folder.write('a.log', LOG)
    const { checkpoint } = await readPath(path)
    if (checkpoint === undefined) throw new Error('no checkpoint')
    folder.write('a.log', content)
    const source = await openPath(path)
    const match = await source.matches(checkpoint)
    await source.close()
    // An edit that moves nothing, far from both ends, is the one change that cannot be seen.
    expect(match).toEqual(
      reason === undefined ? { kind: 'goes-on' } : { kind: 'new', reason: expect.stringMatching(reason) },
    )
  })

  test('a file that was packed since is new, and so is a shorter gzip file', async () => {
    const folder = new Folder()
    const path = folder.write('a.log', LOG)
    const plain = await readPath(path)
    folder.write('a.log', gzipSync(LOG))
    await expect(readOn(path, plain)).rejects.toThrow('new: it was packed or unpacked since')
    const packed = await readPath(path)
    folder.write('a.log', gzipSync(LOG.slice(0, 5_000)))
    await expect(readOn(path, packed)).rejects.toThrow('new: it was cut or replaced')
  })

  test('a file cut while it is read ends with an error, after what was there', async () => {
    const folder = new Folder()
    const path = folder.write('a.log', LOG)
    const source = await openPath(path, 4_096)
    const bytes = source.bytes(0)
    await bytes.next()
    truncateSync(path, 10)
    const rest = (async () => {
      for await (const block of bytes) expect(block.length).toBeGreaterThan(0)
    })()
    expect(await refusalOf(rest)).toMatchObject({
      code: 'INPUT_CHANGED',
      message: expect.stringContaining('it has 10 bytes now'),
    })
    await source.close()
  })

  test('progress counts the bytes of the file', async () => {
    const folder = new Folder()
    for (const content of [LOG, gzipSync(LOG)]) {
      const source = await openPath(folder.write('a.log', content))
      expect([source.size, source.bytesRead()]).toEqual([content.length, 0])
      await readAll(source)
      expect(source.bytesRead()).toBe(content.length)
    }
  })
})

describe('gzip', () => {
  test('is told by its content, not its name', async () => {
    const folder = new Folder()
    const packed = await readPath(folder.write('a.log', gzipSync(LOG)))
    const named = await readPath(folder.write('b.gz', LOG))
    expect([packed.rows.length, named.rows.length]).toEqual([500, 500])
  })

  test('any number of members is one file, and one that was appended goes on', async () => {
    const folder = new Folder()
    const members = [LOG.slice(0, 1_234), '', LOG.slice(1_234)].map((part) => gzipSync(part))
    const path = folder.write('a.gz', Buffer.concat(members))
    const first = await readPath(path)
    expect(first.rows).toEqual((await readPath(folder.write('a.log', LOG))).rows)
    expect(first.checkpoint).toMatchObject({ offset: LOG.length, line: 500, isGzip: true, tail: null })
    appendFileSync(path, gzipSync('one more\n'))
    const second = await readOn(path, first)
    expect(second.rows).toMatchObject([{ message: 'one more' }])
    expect(second.checkpoint?.line).toBe(501)
  })

  test('padding behind the data is no damage', async () => {
    const folder = new Folder()
    const padded = Buffer.concat([gzipSync(LOG), Buffer.alloc(1_000)])
    expect(await readPath(folder.write('a.gz', padded))).toMatchObject({
      error: undefined,
      rows: { length: 500 },
    })
  })

  test('data that ends in the middle gives what is there; the rest comes when it is complete', async () => {
    const folder = new Folder()
    const noise = Array.from({ length: 20_000 }, (_, index) => `line ${(index * 7_919) % 65_537}\n`).join('')
    const packed = gzipSync(noise)
    const path = folder.write('a.gz', packed.subarray(0, packed.length - 5_000))
    const first = await readPath(path)
    expect(first.error).toMatchObject({ code: 'INPUT_INCOMPLETE' })
    expect(first.rows.length).toBeGreaterThan(1_000)
    writeFileSync(path, packed)
    const second = await readOn(path, first)
    expect(first.rows.length + second.rows.length).toBe(20_000)
    expect(second.error).toBeUndefined()
  })

  test.each([
    ['a flipped bit', (packed: Buffer) => flipped(packed, packed.length - 6)],
    ['something else behind it', (packed: Buffer) => Buffer.concat([packed, Buffer.from('plain line\n')])],
    [
      'something else behind padding',
      (packed: Buffer) => Buffer.concat([packed, Buffer.alloc(9), Buffer.from('x\n')]),
    ],
  ])('damage is reported: %s', async (_, damage) => {
    const folder = new Folder()
    const { error } = await readPath(folder.write('a.gz', damage(gzipSync(LOG))))
    expect(error?.code).toBe('INPUT_DAMAGED')
  })
})

describe('streams', () => {
  test('give the rows that a file gives, but no checkpoint', async () => {
    const folder = new Folder()
    const file = await readPath(folder.write('a.log', LOG))
    const stream = await openChunks([LOG.slice(0, 7), LOG.slice(7, 5_000), LOG.slice(5_000)])
    expect([stream.key, stream.isResumable, stream.size, stream.modifiedMs]).toEqual([
      null,
      false,
      null,
      expect.any(Number),
    ])
    const reading = await readAll(stream)
    expect(reading.rows).toEqual(file.rows)
    expect(reading.blocks.map((block) => block.checkpoint)).toEqual(reading.blocks.map(() => null))
  })

  test('may be packed', async () => {
    const packed = gzipSync(LOG)
    const bytewise = Array.from(packed, (byte) => Buffer.from([byte]))
    expect((await readAll(await openChunks(bytewise))).rows).toHaveLength(500)
  })

  test('may be empty', async () => {
    expect(await readAll(await openChunks([]))).toMatchObject({ rows: [], bad: [], incomplete: null })
  })

  test('a line is given as soon as it is there', async () => {
    const stdin = new PassThrough()
    stdin.write('first\n')
    const source = await openSource('-', { now: 0, stdin })
    const bytes = source.bytes(0)
    expect(String((await bytes.next()).value)).toBe('first\n')
    stdin.write('second\n')
    expect(String((await bytes.next()).value)).toBe('second\n')
    await source.close()
  })

  test('closing ends a read that is waiting; half a line is not taken for the last one', async () => {
    const stdin = new PassThrough()
    stdin.write('first\nhalf')
    const source = await openSource('-', { now: 0, stdin })
    const reading = readAll(source)
    await source.close()
    expect((await reading).rows.length).toBeLessThanOrEqual(1)
    expect((await reading).error).toBeUndefined()
  })

  test('closing in the middle of a file ends its reading', async () => {
    const folder = new Folder()
    const source = await openPath(folder.write('a.log', LOG), 4_096)
    const seen: number[] = []
    for await (const block of source.bytes(0)) {
      seen.push(block.length)
      await source.close()
    }
    expect(seen.length).toBeLessThanOrEqual(2)
    await source.close()
  })

  test('a stream that breaks says so', async () => {
    const stdin = Readable.from(
      (async function* () {
        yield Buffer.from('first\n')
        throw Object.assign(new Error('EIO: gone'), { code: 'EIO' })
      })(),
    )
    const reading = await readAll(await openSource('-', { now: 0, stdin }))
    expect(reading).toMatchObject({ rows: { length: 1 }, error: { code: 'INPUT_UNREADABLE' } })
  })

  test('a pipe by name is read like one', async () => {
    const folder = new Folder()
    const path = join(folder.path, 'pipe')
    execFileSync('sh', ['-c', 'mkfifo "$0"', path])
    expect(statSync(path).isFIFO()).toBe(true)
    const [source] = await Promise.all([openPath(path), writeFile(path, LOG)])
    expect(source.isResumable).toBe(false)
    expect((await readAll(source)).rows).toHaveLength(500)
  })
})

test('a folder that is no file does not keep handles open', async () => {
  const folder = new Folder()
  mkdirSync(join(folder.path, 'sub'))
  expect((await refusalOf(openPath(join(folder.path, 'sub')))).message).toMatch(/is a directory$/)
})

function flipped(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes)
  copy[at] = (copy[at] ?? 0) ^ 1
  return copy
}
