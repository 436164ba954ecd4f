/**
 * Holds SPEC.md against the tests, both ways: what the page lists is there, and what the tests claim is listed.
 * Each function gives its findings as sentences, so that a test of the page can expect none, and a test of the
 * function a certain one.
 */
import { incidents, laws, mayBeSkipped, systems } from './owed.ts'
import { claimsOf, incidentOf, linksOf, nameOfLaw, namesOf, sectionsOf, type Source } from './spec-text.ts'

export interface Page {
  /** SPEC.md. */
  readonly text: string
  /** Every file that defines tests. */
  readonly sources: readonly Source[]
  /** Whether a path from the root leads somewhere. */
  readonly exists: (path: string) => boolean
}

type Finder = (page: Page) => string[]

/** Every link of the page leads to a file. */
const brokenLinks: Finder = ({ text, exists }) =>
  linksOf(text)
    .filter((path) => !exists(path))
    .map((path) => `the page links to ${path}, which is not there`)

/** A test's name begins with its law, as in `law 3 · …`; the law's section lists the files of these tests. */
const lawProblems: Finder = ({ text, sources }) => {
  const sections = sectionsOf(text).filter(({ title }) => /^\d+\. /.test(title))
  const found = sections.map(({ title }) => Number.parseInt(title, 10))
  return [
    ...(found.join() === numbers(laws).join() ? [] : [`the laws on the page are ${found.join(', ')}`]),
    ...sections.flatMap(({ body }, index) => {
      const law = found[index] as number
      return compare(`law ${law}`, testsAmong(linksOf(body)), filesNaming(sources, nameOfLaw(law)))
    }),
  ]
}

/** A comment `// SPEC S4.6` above a test claims a row of a system; the row lists the files of these tests. */
const systemProblems: Finder = ({ text, sources }) => {
  const owed = Object.entries(systems).flatMap(([system, rows]) =>
    numbers(rows).map((row) => `${system}.${row}`),
  )
  const rows = new Map(
    [...text.matchAll(/^\| (S\d\.\d+) +\| .*? +\| (.*?) +\|$/gm)].map(([, row = '', cell = '']) => [
      row,
      cell,
    ]),
  )
  const claims = sources.flatMap(claimsOf)
  const known = new Set(owed)
  return [
    ...[...rows.keys(), ...claims.flatMap((claim) => claim.rows)]
      .filter((row) => !known.has(row))
      .map((row) => `${row} is no row of a system`),
    ...claims
      .filter(({ isAboveTest }) => !isAboveTest)
      .map(({ file, line }) => `${file}:${line} claims a row, and no test is below it`),
    ...owed.flatMap((row) => {
      const cell = rows.get(row)
      if (cell === undefined) return [`${row} is not on the page`]
      const claiming = claims.filter((claim) => claim.rows.includes(row)).map(({ file }) => file)
      const problems = compare(row, testsAmong(linksOf(cell)), claiming)
      if (linksOf(cell).length === 0 && !/not there yet: \w+/.test(cell))
        problems.push(`${row} links to no proof, and does not say what it waits for`)
      return problems
    }),
  ]
}

/** Each incident has one test, named `law N · incident: …` and linked, or stands in the list of those not there yet. */
const incidentProblems: Finder = ({ text, sources }) => {
  const section = sectionsOf(text).find(({ title }) => title === 'Incidents')
  if (!section) return ['the incidents are not on the page']
  const rows = new Map(
    [...section.body.matchAll(/^\| (.+?) +\| (.*\]\(.*) +\|$/gm)].map(([, name = '', cell = '']) => [
      name,
      testsAmong(linksOf(cell)),
    ]),
  )
  const waiting = new Set([...section.body.matchAll(/^- (.+)$/gm)].map(([, name = '']) => name))
  const tests = sources
    .filter(({ file }) => file.startsWith('test/incidents/'))
    .flatMap(({ file, text: code }) =>
      namesOf(code).map((test) => ({ file, test, incident: incidentOf(test) })),
    )
  return [
    ...[...rows.keys(), ...waiting]
      .filter((name) => !incidents.includes(name))
      .map((name) => `"${name}" is no incident that is owed`),
    ...tests
      .filter(({ incident }) => incident === undefined || !incidents.includes(incident))
      .map(({ file, test }) => `${file} has "${test}", which names no incident that is owed`),
    ...incidents.flatMap((name) => {
      const files = tests.filter(({ incident }) => incident === name).map(({ file }) => file)
      const listed = rows.get(name) ?? []
      if (waiting.has(name) && files.length + listed.length > 0)
        return [`"${name}" is said to be not there yet, and has a test`]
      if (waiting.has(name)) return []
      if (files.length !== 1) return [`"${name}" has ${files.length} tests`]
      return compare(`"${name}"`, listed, files)
    }),
  ]
}

/** A law whose test is skipped is not tested. */
const skippedTests: Finder = ({ sources }) =>
  sources
    .filter(({ text }) => numbers(laws).some((law) => nameOfLaw(law).test(text)))
    .flatMap(({ file, text }) => {
      const [modifier] =
        /\b(?:test|it|describe)(?:\.\w+)*\.(?:skip|skipIf|runIf|todo|only|fails)\b/.exec(text) ?? []
      if (modifier !== undefined) return [`${file} tests a law, and has ${modifier}`]
      // A server that comes with npm is there wherever the tests run, and others may run them too.
      const runsAnywhere = !/\bwithServer\(/.test(text) || /\bwithServer\(embeddedPostgres\b/.test(text)
      const skipsItself = /\bskip\(/.test(text) || !runsAnywhere
      return skipsItself && !mayBeSkipped.includes(file) ? [`${file} tests a law, and skips itself`] : []
    })

/** What the page is held against. */
export const finders: Readonly<Record<string, Finder>> = {
  'every link leads to a file': brokenLinks,
  'each law lists the files that test it': lawProblems,
  'each row of the five systems lists the files that prove it, or says what it waits for': systemProblems,
  'each incident has its test, or is named as not there yet': incidentProblems,
  'no test of a law is skipped': skippedTests,
}

function filesNaming(sources: readonly Source[], name: RegExp): string[] {
  return sources.filter(({ text }) => name.test(text)).map(({ file }) => file)
}

function testsAmong(links: readonly string[]): string[] {
  return links.filter((path) => /^(?:src|test)\//.test(path))
}

function compare(what: string, listed: readonly string[], claiming: readonly string[]): string[] {
  const is = (others: readonly string[]) => (file: string) => !others.includes(file)
  return [
    ...new Set([
      ...listed.filter(is(claiming)).map((file) => `${what} lists ${file}, which does not test it`),
      ...claiming.filter(is(listed)).map((file) => `${what} is tested by ${file}, which it does not list`),
    ]),
  ]
}

function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index + 1)
}
