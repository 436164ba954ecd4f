/** Finds the audio files of a folder and of all folders in it, in an order that never changes. */
import { readdirSync } from 'node:fs'
import path from 'node:path'

const endings = new Set('.aac .aif .aiff .ape .flac .m4a .mp3 .mpc .oga .ogg .opus .wav .wma .wv'.split(' '))

export interface Found {
  /** In the folder, with `/` on every system. */
  readonly audio: readonly string[]
  /** Files by other names, which are not looked into. */
  readonly others: number
}

export function findAudio(folder: string): Found {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    // What a link leads to is seen when it is read; a folder behind one is not entered.
    .filter((entry) => entry.isFile() || entry.isSymbolicLink())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)).replaceAll('\\', '/'))
  const audio = files.filter((file) => endings.has(path.extname(file).toLowerCase())).toSorted()
  return { audio, others: files.length - audio.length }
}
