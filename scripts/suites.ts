/** The test suites, one a folder. `vitest.config.ts` runs them; the suite reporter expects each to run tests. */
export interface Suite {
  readonly name: string
  /** Where its tests live. A suite whose folder exists must run at least one test. */
  readonly folder: string
  /** Its tests start processes or keep a core busy, so that more than two files at once only slow each other. */
  readonly isHeavy: boolean
  readonly timeoutMs: number
}

export const suites: readonly Suite[] = [
  { name: 'unit', folder: 'src', isHeavy: false, timeoutMs: 10_000 },
  { name: 'conformance', folder: 'test/conformance', isHeavy: true, timeoutMs: 60_000 },
  { name: 'fault', folder: 'test/fault', isHeavy: true, timeoutMs: 60_000 },
  { name: 'replicas', folder: 'test/replicas', isHeavy: true, timeoutMs: 60_000 },
  { name: 'crash', folder: 'test/crash', isHeavy: true, timeoutMs: 120_000 },
  { name: 'incidents', folder: 'test/incidents', isHeavy: true, timeoutMs: 60_000 },
  { name: 'targets', folder: 'test/targets', isHeavy: true, timeoutMs: 30_000 },
  { name: 'systems', folder: 'test/systems', isHeavy: true, timeoutMs: 60_000 },
  { name: 'examples', folder: 'test/examples', isHeavy: true, timeoutMs: 120_000 },
  { name: 'histories', folder: 'test/histories', isHeavy: true, timeoutMs: 120_000 },
  { name: 'sim', folder: 'test/sim', isHeavy: true, timeoutMs: 120_000 },
  { name: 'logs', folder: 'test/logs', isHeavy: true, timeoutMs: 60_000 },
  { name: 'clients', folder: 'test/clients', isHeavy: true, timeoutMs: 60_000 },
  { name: 'cli', folder: 'test/cli', isHeavy: true, timeoutMs: 60_000 },
  { name: 'dashboard', folder: 'test/dashboard', isHeavy: true, timeoutMs: 60_000 },
  { name: 'server', folder: 'test/server', isHeavy: true, timeoutMs: 60_000 },
  { name: 'package', folder: 'test/package', isHeavy: true, timeoutMs: 240_000 },
  { name: 'checks', folder: 'test/checks', isHeavy: true, timeoutMs: 120_000 },
  { name: 'docs', folder: 'test/docs', isHeavy: true, timeoutMs: 120_000 },
]
