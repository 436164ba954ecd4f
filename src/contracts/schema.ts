/** The tables an engine can write to, as the store found them when it opened or when they last changed. */
export interface Schema {
  /** Changes whenever the tables do. */
  readonly version: string
  readonly tables: ReadonlyMap<string, TableSchema>
}

export interface TableSchema {
  readonly name: string
  readonly columns: ReadonlyMap<string, ColumnSchema>
  /** The columns of the primary key, in its order; empty when the table has none. */
  readonly primaryKey: readonly string[]
  /** The column whose value the store makes up when an insert leaves it out, if there is one. */
  readonly generatedId: string | undefined
}

export interface ColumnSchema {
  readonly name: string
  /** The type as declared, for messages. */
  readonly type: string
  /**
   * How whole numbers must be sent so that the column keeps them as they are: SQLite turns a float into
   * `'5.0'` in a text column and keeps it a float in an untyped one, so there they travel as bigint.
   */
  readonly wholeNumbers: 'number' | 'bigint'
  /** The store computes the value; writing it is refused. */
  readonly isComputed: boolean
}
