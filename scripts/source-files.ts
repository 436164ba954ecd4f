import { globSync } from 'node:fs'

export const SOURCE_FOLDERS: readonly string[] = [
  'src',
  'dashboard',
  'test',
  'scripts',
  'bench',
  'campaigns',
  'examples',
]

/** Every TypeScript file of the source folders, relative to the working directory, with forward slashes. */
export function sourceFiles(): string[] {
  return globSync(
    SOURCE_FOLDERS.map((folder) => `${folder}/**/*.ts`),
    {
      exclude: (name) => name === 'node_modules' || name === 'dist',
    },
  )
    .map((file) => file.replaceAll('\\', '/'))
    .toSorted()
}
