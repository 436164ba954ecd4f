import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'
import { SuiteReporter } from './scripts/suite-reporter.ts'
import { suites } from './scripts/suites.ts'
import './test/support/compile-cache.ts'

export default defineConfig({
  test: {
    globalSetup: ['test/support/shared-folder.ts', 'test/support/whole-programs.ts'],
    reporters: ['default', new SuiteReporter()],
    projects: suites.map(({ name, folder, isHeavy, timeoutMs }) => ({
      test: {
        name,
        include: [`${folder}/**/*.test.ts`],
        testTimeout: timeoutMs,
        hookTimeout: timeoutMs,
        // Light files need no process each: to start one, and to load what they test, is most of what they take.
        isolate: isHeavy,
        // Groups run one after another; only within a group do suites share the workers.
        sequence: { groupOrder: isHeavy ? 1 : 0 },
        maxWorkers: isHeavy ? 2 : availableParallelism(),
      },
    })),
  },
})
