/** The tables an engine can write to, as the store found them when it opened or when they last changed. */
export interface Schema {
  /** Changes whenever the tables do. */
  readonly version: string
  readonly tables: ReadonlyMap<string, TableSchema>
}

export interface TableSchema {
  readonly name: string
  /** As SQL names it, with its schema where it needs one. Absent: its name, quoted. */
  readonly sqlName?: string
  readonly columns: ReadonlyMap<string, ColumnSchema>
  /** The columns of the primary key, in its order; empty when the table has none. */
  readonly primaryKey: readonly string[]
  /** The column whose value the store makes up when an insert leaves it out, if there is one. */
  readonly generatedId: string | undefined
  /** Columns that must hold the generated id of some row, and that row's table. Absent: none is known. */
  readonly parents?: ReadonlyMap<string, string>
  /**
   * Only writes that name a row change it: no trigger, cascade or conflict clause does it in passing. Absent: nobody
   * knows, and whoever reads a row with what is pending waits for all that is.
   */
  readonly standsAlone?: boolean
  /**
   * What a write makes of a row follows from its values and the columns' `storage`, or the write is rejected. Only
   * where it stands alone. Absent: it does not, and whoever wants to know waits for the commit.
   */
  readonly isFoldable?: boolean
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
  /** It holds JSON, whose `true` is not 1. Absent: it does not. */
  readonly isJson?: boolean
  /** It holds booleans, times, lists and objects as they are, as `src/documents.ts` writes them. Absent: it does not. */
  readonly isDocument?: boolean
  /** Absent: nobody knows, and nothing is told of its values before they are committed. */
  readonly storage?: ColumnStorage
}

/** What a column makes of the values put into it, as far as it is known beforehand. */
export interface ColumnStorage {
  /**
   * What it converts, in the words of https://www.sqlite.org/datatype3.html: `numeric` makes numbers of texts that
   * look like one, `real` makes floats of them and of whole numbers, `text` makes texts of numbers, `none` nothing.
   * `uuid`, in PostgreSQL, makes the usual form of any other.
   */
  readonly affinity: 'numeric' | 'real' | 'text' | 'none' | 'uuid'
  /** Two texts are equal to it only when they are the same: no collation says otherwise. */
  readonly comparesExactly: boolean
  /** An insert that leaves it out puts something else than NULL into it. */
  readonly hasDefault: boolean
}
