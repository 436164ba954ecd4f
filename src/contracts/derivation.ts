/** One statement that writes what follows from the rows of `table`, whatever of it is missing. */
export interface Derivation {
  readonly table: string
  /** One data-changing statement without parameters. */
  readonly sql: string
}

/** The batch was committed without what this should have written. */
export interface DerivationFailure {
  readonly table: string
  readonly message: string
}
