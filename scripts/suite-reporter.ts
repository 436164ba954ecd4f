/**
 * Closes a test run with what a person and a machine want to know: one line a suite, every failed test with what
 * it found, every skipped one with its reason, and as the last line of all the plain count `N passed, N failed`.
 *
 * It fails the run when the folder of a suite exists and no test of it ran: a suite that silently stopped
 * running looks exactly like one that passes.
 */
import { existsSync } from 'node:fs'
import path from 'node:path'
import type { Reporter, SerializedError, TestCase, TestModule, Vitest } from 'vitest/node'
import { suites } from './suites.ts'

interface Tally {
  readonly files: readonly TestModule[]
  readonly passed: number
  readonly failed: readonly TestCase[]
  readonly broken: readonly TestModule[]
  readonly skipped: readonly TestCase[]
  readonly seconds: number
}

export class SuiteReporter implements Reporter {
  #vitest: Vitest | undefined

  onInit(vitest: Vitest): void {
    this.#vitest = vitest
  }

  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly SerializedError[]): void {
    const lines: string[] = ['']
    const failures: string[] = []
    let failed = unhandledErrors.length
    let passed = 0
    let skipped = 0

    for (const suite of this.#expectedSuites()) {
      const tally = count(modules.filter((module) => module.project.name === suite.name))
      passed += tally.passed
      failed += failuresIn(tally)
      skipped += tally.skipped.length
      if (tally.files.length > 0) lines.push(describe(suite.name, tally))
      for (const test of tally.failed) failures.push(`failed: ${test.fullName}`, ...findingsOf(test))
      for (const file of tally.broken) failures.push(`failed: ${file.relativeModuleId}`, ...findingsOf(file))
      // A filter by name marks every test that it leaves out as skipped: those need no reason.
      const reportable = this.#vitest?.getGlobalTestNamePattern() ? [] : tally.skipped
      for (const test of reportable) lines.push(`    skipped: ${test.fullName} (${reasonOf(test)})`)
      if (tally.passed + failuresIn(tally) === 0 && this.#isWholeRun() && this.#exists(suite.folder)) {
        lines.push(`    ${suite.name}: ${suite.folder}/ exists, but no test of it ran`)
        failed += 1
      }
    }

    if (failed > 0) process.exitCode = 1
    lines.push(...failures, `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`)
    process.stdout.write(lines.join('\n') + '\n')
  }

  #expectedSuites(): typeof suites {
    const selected = new Set(this.#vitest?.projects.map((project) => project.name))
    return suites.filter((suite) => selected.has(suite.name))
  }

  /** With a filter by file or by name, an empty suite is what was asked for. */
  #isWholeRun(): boolean {
    if (!this.#vitest) return false
    // Vitest keeps the file filter to itself; nothing public tells it from a suite without files.
    const files: unknown = Reflect.get(this.#vitest, 'filenamePattern')
    return files === undefined && this.#vitest.getGlobalTestNamePattern() === undefined
  }

  #exists(folder: string): boolean {
    return existsSync(path.join(this.#vitest?.config.root ?? '.', folder))
  }
}

function count(files: readonly TestModule[]): Tally {
  const tests = files.flatMap((file) => [...file.children.allTests()])
  const isIn = (state: string) => (test: TestCase) => test.result().state === state
  return {
    files,
    passed: tests.filter(isIn('passed')).length,
    failed: tests.filter(isIn('failed')),
    // A file that broke outside of its tests (an import, a hook) counts as one failure: it must show somewhere.
    broken: files.filter((file) => !file.ok() && ![...file.children.allTests('failed')].length),
    skipped: tests.filter(isIn('skipped')),
    seconds: files.reduce((sum, file) => sum + file.diagnostic().duration, 0) / 1_000,
  }
}

function failuresIn({ failed, broken }: Tally): number {
  return failed.length + broken.length
}

function describe(name: string, tally: Tally): string {
  const { files, passed, skipped, seconds } = tally
  const failures = failuresIn(tally)
  const tests = passed + failures + skipped.length
  const verdict = failures > 0 ? `${failures} FAILED` : 'ok'
  return `  ${name.padEnd(12)} ${pad(files.length)} files ${pad(tests)} tests ${seconds.toFixed(1).padStart(7)} s  ${verdict}`
}

function pad(value: number): string {
  return String(value).padStart(4)
}

/** The first lines of each error: enough to know it again where only the end of a log is kept. */
function findingsOf(test: TestCase | TestModule): string[] {
  const errors = test.type === 'module' ? test.errors() : (test.result().errors ?? [])
  return errors.flatMap(({ message }) =>
    message
      .split('\n')
      .slice(0, 12)
      .map((line) => `  ${line}`),
  )
}

function reasonOf(test: TestCase): string {
  const result = test.result()
  if (result.state === 'skipped' && result.note !== undefined) return result.note
  if (test.options.mode !== 'run') return `marked ${test.options.mode}`
  return test.module.ok() ? 'no reason given' : 'never ran: its file failed'
}
