/** What each check must catch: one planted violation, the file that the check must name, and what it must say of it. */
export interface Violation {
  readonly check: 'format' | 'lint' | 'source' | 'types' | 'imports' | 'unused' | 'lockfile'
  readonly what: string
  /** Files to plant, by path; a function changes the file that is there. The check must name the first. */
  readonly files: Readonly<Record<string, string | ((text: string) => string)>>
  /** So that it fails for the right reason. */
  readonly says: RegExp
}

export const violations: readonly Violation[] = [
  {
    check: 'format',
    what: 'a file that nobody formatted',
    files: { 'src/writes/planted.ts': 'export const   planted = "planted";\n' },
    says: /Code style issues/,
  },
  {
    check: 'lint',
    what: 'a promise that nobody awaits',
    files: {
      'src/writes/planted-promise.ts':
        'async function work(): Promise<void> {}\n\nexport function planted(): void {\n  work()\n}\n',
    },
    says: /no-floating-promises/,
  },
  {
    check: 'lint',
    what: 'any',
    files: { 'src/writes/planted-any.ts': 'export const planted = (value: any): unknown => value\n' },
    says: /no-explicit-any/,
  },
  {
    check: 'source',
    what: 'chance outside of the runtime',
    files: { 'src/writes/planted.ts': 'export const planted = (): number => Math.random()\n' },
    says: /Math\.random/,
  },
  ...[
    'export const planted = (): number => Date.now()',
    'export const planted = (): Date => new Date()',
    'export const planted = (work: () => void): unknown => setTimeout(work, 1)',
    "import { randomUUID } from 'node:crypto'\n\nexport const planted = (): string => randomUUID()",
    "import { randomBytes } from 'node:crypto'\n\nexport const planted = (): Buffer => randomBytes(8)",
  ].map((code, index): Violation => ({
    check: 'source',
    what: `a store with ${code.split('=> ')[1]}`,
    files: { [`src/stores/sqlite/planted-${index}.ts`]: `${code}\n` },
    says: new RegExp(`planted-${index}\\.ts:\\d: .*: only src/runtime/ may`),
  })),
  {
    check: 'source',
    what: 'a file of 401 lines',
    files: { 'src/cli/planted.ts': `export const planted = [\n${'  0,\n'.repeat(399)}]\n` },
    says: /401 lines/,
  },
  {
    check: 'source',
    what: 'code in src/index.ts',
    files: { 'src/index.ts': (text) => `${text}export const more = 1\n` },
    says: /re-exports only/,
  },
  {
    check: 'types',
    what: 'a type error',
    files: { 'src/writes/planted.ts': "export const planted: number = 'one'\n" },
    says: /TS2322/,
  },
  {
    check: 'imports',
    what: 'a store that imports the engine',
    files: {
      'src/stores/sqlite/planted.ts': "export { planted } from '../../writes/planted-engine.ts'\n",
      'src/writes/planted-engine.ts': 'export const planted = 1\n',
    },
    says: /surroundings-know-the-contracts: imports src\/writes\/planted-engine\.ts/,
  },
  {
    check: 'imports',
    what: 'a target that imports another',
    files: {
      'src/targets/redis/planted.ts': "export { planted } from '../webhook/planted.ts'\n",
      'src/targets/webhook/planted.ts': 'export const planted = 1\n',
    },
    says: /stores-stay-apart: imports src\/targets\/webhook\/planted\.ts/,
  },
  {
    check: 'imports',
    what: 'a target in what all of them share',
    files: {
      'src/targets/planted.ts': "export { planted } from './redis/planted-here.ts'\n",
      'src/targets/redis/planted-here.ts': 'export const planted = 1\n',
    },
    says: /what-targets-share-knows-no-target: imports src\/targets\/redis\/planted-here\.ts/,
  },
  {
    check: 'imports',
    what: 'an import from below',
    files: {
      'src/contracts/planted.ts': "export type { Planted } from '../writes/planted-above.ts'\n",
      'src/writes/planted-above.ts': 'export type Planted = 1\n',
    },
    says: /imports-run-downwards/,
  },
  {
    check: 'imports',
    what: 'a page that imports the server',
    files: { 'dashboard/planted.ts': "export { TidemarkError } from '../src/errors.ts'\n" },
    says: /dashboard-speaks-http-only/,
  },
  {
    check: 'imports',
    what: 'two modules that need each other',
    files: {
      'src/writes/planted-a.ts': "import { b } from './planted-b.ts'\n\nexport const a = (): unknown => b\n",
      'src/writes/planted-b.ts': "import { a } from './planted-a.ts'\n\nexport const b = (): unknown => a\n",
    },
    says: /no-cycles/,
  },
  {
    check: 'imports',
    what: 'an import that leads nowhere',
    files: { 'src/writes/planted-nowhere.ts': "export { a } from './nowhere.ts'\n" },
    says: /everything-resolves/,
  },
  {
    check: 'imports',
    what: 'an import of what only developers have',
    files: { 'src/writes/planted-test.ts': "export { test } from 'vitest'\n" },
    says: /src-needs-no-dev-dependencies/,
  },
  {
    check: 'unused',
    what: 'a file that nothing imports',
    files: { 'src/writes/planted.ts': 'export const planted = 1\n' },
    says: /Unused files/,
  },
  {
    check: 'unused',
    what: 'an export that nothing imports',
    files: { 'scripts/suites.ts': (text) => `${text}\nexport const planted = 1\n` },
    says: /Unused exports/,
  },
  {
    check: 'lockfile',
    what: "the lockfile without another platform's package",
    files: {
      'package-lock.json': (text) =>
        text.replace('"node_modules/@swc/core-darwin-arm64"', '"node_modules/gone"'),
    },
    says: /@swc\/core-darwin-arm64 is missing/,
  },
  {
    check: 'lockfile',
    what: 'a download address in the lockfile',
    files: {
      'package-lock.json': (text) =>
        text.replace('"node_modules/commander": {', '$& "resolved": "https://registry.example/c.tgz",'),
    },
    says: /names the address https:\/\/registry\.example/,
  },
  {
    check: 'lockfile',
    what: 'a lockfile that package.json has left behind',
    files: { 'package-lock.json': (text) => text.replace(/"commander": "[^"]*"/, '"commander": "1.0.0"') },
    says: /"dependencies" differs/,
  },
]
