/** How claims are written: in SPEC.md by sections and links, in tests by their names and by comments above them. */

export interface Source {
  /** From the root of the repository, with forward slashes. */
  readonly file: string
  readonly text: string
}

interface Claim {
  readonly file: string
  readonly line: number
  readonly rows: readonly string[]
  readonly isAboveTest: boolean
}

export function claimsOf({ file, text }: Source): Claim[] {
  const lines = text.split('\n')
  return lines.flatMap((line, index) => {
    const [, rows] = /^ *\/\/ SPEC (S\d.*)$/.exec(line) ?? []
    if (rows === undefined) return []
    const isAboveTest = /^ *(?:test|onlyFor|conformance)\b/.test(lines[index + 1] ?? '')
    return [{ file, line: index + 1, rows: rows.split(', '), isAboveTest }]
  })
}

export function nameOfLaw(law: number): RegExp {
  return new RegExp(`\\b(?:law|laws)\\b[^·'\`]*\\b${law}\\b[^·'\`]*·`)
}

export function incidentOf(test: string): string | undefined {
  return /^laws? [\d, ]+ · incident: (.+)$/.exec(test)?.[1]
}

/** What the tests of a file are called. */
export function namesOf(code: string): string[] {
  return [...code.matchAll(/^ *test(?:\.\w+)*\(\s*(["'`])(.*?)\1/gm)].map(([, , name = '']) => name)
}

export function sectionsOf(page: string): { title: string; body: string }[] {
  return page
    .split(/^## /m)
    .slice(1)
    .map((section) => {
      const end = section.indexOf('\n')
      return { title: section.slice(0, end).trim(), body: section.slice(end) }
    })
}

/** Where the links of a text on the page lead, from the root; those to elsewhere and within the page left out. */
export function linksOf(text: string): string[] {
  return [...text.matchAll(/\]\((?!https?:|#)([^)#]+)[^)]*\)/g)].map(([, path = '']) =>
    path.startsWith('../') ? path.slice(3) : `docs/${path}`,
  )
}
