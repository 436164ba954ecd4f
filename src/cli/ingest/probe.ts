/** What the first bytes of an input say about it, before anything is read as text. */
import { InputError } from './input-error.ts'

/** A NUL byte this early is no log with a hole in it, but not text at all. */
const BINARY_SAMPLE_BYTES = 8 * 1024

const SQLITE_MAGIC = 'SQLite format 3\0'

/** In a magic number: whatever stands there. */
const ANY = -1

const OTHER_PACKINGS: readonly {
  readonly magic: readonly number[]
  readonly name: string
  readonly tool: string
}[] = [
  { magic: [0x28, 0xb5, 0x2f, 0xfd], name: 'zstd', tool: 'zstdcat' },
  { magic: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00], name: 'xz', tool: 'xzcat' },
  // 'BZh', the block size as a digit, and the digits of pi.
  { magic: [0x42, 0x5a, 0x68, ANY, 0x31, 0x41, 0x59], name: 'bzip2', tool: 'bzcat' },
  { magic: [0x50, 0x4b, 0x03, 0x04], name: 'zip', tool: 'unzip -p' },
  { magic: [0x04, 0x22, 0x4d, 0x18], name: 'lz4', tool: 'lz4cat' },
]

/** Whether these bytes, the first of a file, open a gzip file. Its name does not matter. */
export function isGzip(first: Buffer): boolean {
  return first[0] === 0x1f && first[1] === 0x8b && first[2] === 0x08
}

/**
 * @throws InputError when `head`, the first bytes of an unpacked input, is not text that can be read as
 *   lines.
 */
export function refuseNonText(head: Buffer, name: string): void {
  for (const packing of OTHER_PACKINGS) {
    if (!packing.magic.every((byte, index) => byte === ANY || head[index] === byte)) continue
    throw new InputError(
      'INPUT_COMPRESSION',
      `${name} is packed with ${packing.name}; only gzip is unpacked here`,
      `${packing.tool} FILE | tidemark ingest -`,
    )
  }
  const isUtf16 = (head[0] === 0xff && head[1] === 0xfe) || (head[0] === 0xfe && head[1] === 0xff)
  if (isUtf16) {
    throw new InputError(
      'INPUT_ENCODING',
      `${name} is UTF-16; lines are read as UTF-8`,
      'iconv -f UTF-16 -t UTF-8 FILE | tidemark ingest -',
    )
  }
  if (head.toString('latin1', 0, SQLITE_MAGIC.length) === SQLITE_MAGIC) {
    throw new InputError(
      'INPUT_BINARY',
      `${name} is an SQLite database, not a text file`,
      'to write into it, name it with --db; to read from it: sqlite3 -csv -header FILE "select …" | tidemark ingest - --table NAME',
    )
  }
  const nul = head.subarray(0, BINARY_SAMPLE_BYTES).indexOf(0)
  if (nul >= 0) {
    throw new InputError(
      'INPUT_BINARY',
      `${name} is not a text file: there is a NUL byte at offset ${nul}`,
      'only lines of text are read; convert it first, and pipe it: … | tidemark ingest -',
    )
  }
}
