/** SPEC.md and the tests name each other: no law without a test, no test of a law that the page does not list. */
import { readFileSync, readdirSync } from 'node:fs'
import { expect, test } from 'vitest'

const root = new URL('../../', import.meta.url)
const laws = readFileSync(new URL('docs/SPEC.md', root), 'utf8')
  .split(/^## /m)
  .slice(1)
  .filter((section) => /^\d+\. /.test(section))
  .map((section) => ({
    number: Number.parseInt(section, 10),
    files: [
      ...new Set(
        [...section.matchAll(/\]\(\.\.\/((?:src|test)\/[^)]+)\)/g)].map(([, file]) => file as string),
      ),
    ].toSorted(),
  }))

/** Files in which a test's name begins with the law's number, as in `law 3 · …`. */
function filesTesting(law: number): string[] {
  const name = new RegExp(`\\b(?:law|laws)\\b[^·'\`]*\\b${law}\\b[^·'\`]*·`)
  return ['src', 'test']
    .flatMap((folder) =>
      readdirSync(new URL(folder, root), { recursive: true, encoding: 'utf8' }).map(
        (file) => `${folder}/${file}`,
      ),
    )
    .filter((file) => /^src\/testing\/.*\.ts$|\.test\.ts$/.test(file) && file !== 'test/docs/spec.test.ts')
    .filter((file) => name.test(readFileSync(new URL(file, root), 'utf8')))
    .toSorted()
}

test('SPEC.md has the ten laws, in order', () => {
  expect(laws.map(({ number }) => number)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
})

for (const { number, files } of laws) {
  test(`what SPEC.md lists under law ${number} are the files that test it`, () => {
    expect(files).toEqual(filesTesting(number))
  })
}
