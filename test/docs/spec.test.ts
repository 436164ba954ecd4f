/**
 * SPEC.md and the tests name each other: nothing is promised without a test, and no test proves what the page does not
 * list. Each check is seen to fail on the page as it is, with one thing changed.
 */
import { existsSync, globSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { finders, type Page } from './spec-page.ts'
import type { Source } from './spec-text.ts'

const root = new URL('../../', import.meta.url)
const read = (path: string): string => readFileSync(new URL(path, root), 'utf8')

const page: Page = {
  text: read('docs/SPEC.md'),
  // The files beside this one name laws and rows in order to check others.
  sources: globSync(['src/testing/**/*.ts', 'src/**/*.test.ts', 'test/**/*.test.ts'], { cwd: root })
    .map((file) => file.replaceAll('\\', '/'))
    .filter((file) => !file.startsWith('test/docs/'))
    .toSorted()
    .map((file) => ({ file, text: read(file) })),
  exists: (path) => existsSync(new URL(path, root)),
}

for (const [what, find] of Object.entries(finders)) {
  test(what, () => {
    expect(find(page)).toEqual([])
  })
}

interface Plant {
  readonly what: string
  readonly text?: (text: string) => string
  readonly sources?: (sources: readonly Source[]) => Source[]
  readonly says: RegExp
}

const busy = 'test/fault/busy.test.ts'
const planted: readonly Plant[] = [
  {
    what: 'a law without its section',
    text: (text) => text.replace('## 7. ', '## '),
    says: /^the laws on the page are 1, 2, 3, 4, 5, 6, 8, 9, 10$/,
  },
  {
    what: 'a law that does not list a test of it',
    text: (text) => text.replace(`[fault/busy.test.ts](../${busy}),\n`, ''),
    says: /^law 2 is tested by test\/fault\/busy\.test\.ts, which it does not list$/,
  },
  {
    what: 'a law that lists a file which does not test it',
    text: (text) => text.replace('## 9. ', '[x](../src/sql/text.ts)\n\n## 9. '),
    says: /^law 8 lists src\/sql\/text\.ts, which does not test it$/,
  },
  {
    what: 'a link to a file that is gone',
    text: (text) => text.replaceAll('test/fault/busy.test.ts', 'test/fault/gone.test.ts'),
    says: /^the page links to test\/fault\/gone\.test\.ts, which is not there$/,
  },
  {
    what: 'a row of a system that is missing',
    text: (text) => text.replace(/^\| S3\.3 .*\n/m, ''),
    says: /^S3\.3 is not on the page$/,
  },
  {
    what: 'a row of a system that lost a link',
    text: (text) => text.replace(/^(\| S4\.5 .*), \[.*\]\(.*?\)(.*)$/m, '$1$2'),
    says: /^S4\.5 is tested by .*, which it does not list$/,
  },
  {
    what: 'a row of a system that says nothing',
    text: (text) => text.replace(/^(\| S1\.1 .*\|) .* \|$/m, '$1 not there yet |'),
    says: /^S1\.1 links to no proof, and does not say what it waits for$/,
  },
  {
    what: 'a test that claims a row which is not there',
    sources: changed(busy, (text) => text.replace('// SPEC S3.4', '// SPEC S3.4, S3.99')),
    says: /^S3\.99 is no row of a system$/,
  },
  {
    what: 'a test that no longer claims its row',
    sources: changed(busy, (text) => text.replaceAll(/\/\/ SPEC .*\n/g, '')),
    says: /^S3\.4 lists test\/fault\/busy\.test\.ts, which does not test it$/,
  },
  {
    what: 'a claim whose test is gone',
    sources: changed(busy, (text) => `${text}\n// SPEC S3.4\n`),
    says: /^test\/fault\/busy\.test\.ts:\d+ claims a row, and no test is below it$/,
  },
  {
    what: 'an incident without its row',
    text: (text) => text.replace(/^\| stale read before flush .*\n/m, ''),
    says: /^"stale read before flush" is tested by .*, which it does not list$/,
  },
  {
    what: 'an incident whose test has another name',
    sources: changed('test/incidents/order.test.ts', (text) => text.replace('put/delete', 'put')),
    says: /^"put\/delete reordered" has 0 tests$/,
  },
  {
    what: 'an incident that is tested twice',
    sources: changed('test/incidents/order.test.ts', (text) => text + text),
    says: /^"put\/delete reordered" has 2 tests$/,
  },
  {
    what: 'an incident that is neither tested nor named',
    text: (text) => text.replace(/^\| mass orphan release .*\n/m, ''),
    sources: changed('test/incidents/effects.test.ts', (text) =>
      text.replace('mass orphan release', 'a crowd'),
    ),
    says: /^"mass orphan release" has 0 tests$/,
  },
  {
    what: 'an incident named as not there yet that has its test',
    text: (text) => `${text}\n- put/delete reordered\n`,
    says: /^"put\/delete reordered" is said to be not there yet, and has a test$/,
  },
  {
    what: 'an incident that nobody owes',
    text: (text) => `${text}\n- a rainy day\n`,
    says: /^"a rainy day" is no incident that is owed$/,
  },
  {
    what: 'a test among the incidents that is none',
    sources: changed('test/incidents/order.test.ts', (text) => `${text}\ntest('law 2 · order', () => {})\n`),
    says: /^test\/incidents\/order\.test\.ts has "law 2 · order", which names no incident that is owed$/,
  },
  {
    what: 'a page without the incidents',
    text: (text) => text.replace('## Incidents', '## Accidents'),
    says: /^the incidents are not on the page$/,
  },
  {
    what: 'a test of a law that is skipped',
    sources: changed(busy, (text) => text.replace("\ntest('law 6", "\ntest.skip('law 6")),
    says: /^test\/fault\/busy\.test\.ts tests a law, and has test\.skip$/,
  },
  {
    what: 'a test of a law that skips itself',
    sources: changed(busy, (text) => text.replace('const file =', 'context.skip()\n  const file =')),
    says: /^test\/fault\/busy\.test\.ts tests a law, and skips itself$/,
  },
]

test.for(planted)('the checks find $what', ({ text, sources, says }) => {
  const changedPage = {
    ...page,
    text: text?.(page.text) ?? page.text,
    sources: sources?.(page.sources) ?? page.sources,
  }
  expect(changedPage, 'something was planted').not.toEqual(page)
  const problems = Object.values(finders).flatMap((find) => find(changedPage))
  expect(problems).toContainEqual(expect.stringMatching(says))
})

function changed(file: string, change: (text: string) => string): (sources: readonly Source[]) => Source[] {
  return (sources) =>
    sources.map((source) => (source.file === file ? { file, text: change(source.text) } : source))
}
