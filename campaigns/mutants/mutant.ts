import type { WorldName } from '../../src/testing/simulation/worlds.ts'

/** A planted bug: an edit to a file that is shipped, and within how many seeds the simulation must find it. */
export interface Mutant {
  /** What the code does then. */
  readonly name: string
  readonly file: string
  /** Each text occurs once in the file. */
  readonly edits: readonly (readonly [text: string, instead: string])[]
  readonly within: number
  /** Which simulated world finds it. Default `writes`. */
  readonly world?: WorldName
}
