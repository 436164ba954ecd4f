/** Real Markdown: what the packages in `node_modules` say of themselves, copied into one folder. */
import { copyFileSync, globSync, mkdirSync, statSync } from 'node:fs'
import path from 'node:path'
import { maxBytes } from '../notes/read-note.ts'

/** @returns how many there are, at most `most` */
export function copyCorpus(from: string | undefined, to: string, most: number): number {
  const roots = from === undefined ? [path.join(import.meta.dirname, '../../..')] : [from]
  mkdirSync(to, { recursive: true })
  const found = roots
    .flatMap((root) =>
      globSync('**/node_modules/**/*.{md,MD,markdown}', { cwd: root }).map((file) => [root, file] as const),
    )
    .toSorted(([, a], [, b]) => (a < b ? -1 : 1))
  let copied = 0
  for (const [root, file] of found) {
    if (copied === most) break
    const source = path.join(root, file)
    const { size } = statSync(source)
    if (size > maxBytes) continue
    // Folders of packages become folders of the vault; those whose names begin with a dot are not looked into.
    const name = file
      .replaceAll('node_modules/', '')
      .replaceAll(/(^|\/)\./g, '$1_')
      .replace(/\.\w+$/, '.md')
    const target = path.join(to, name.length > 200 ? `long/${copied}.md` : name)
    mkdirSync(path.dirname(target), { recursive: true })
    copyFileSync(source, target)
    copied++
  }
  return copied
}
