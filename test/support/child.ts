import { onTestFinished } from 'vitest'
import { Program, type ProgramOptions } from './program.ts'

/** A program of a test; it is killed at the end of the test, if it still runs. */
export class Child extends Program {
  constructor(program: URL, parameters: readonly (string | number)[] = [], options: ProgramOptions = {}) {
    super(program, parameters, options)
    onTestFinished(async () => void (await this.kill()))
  }
}
