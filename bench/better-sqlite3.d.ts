/** The few calls that the benchmark makes, so that types check before its peers are installed. */
declare module 'better-sqlite3' {
  class Database {
    constructor(file: string)
    prepare(sql: string): Database.Statement
    pragma(pragma: string): unknown
    transaction(work: (first: number, count: number) => void): (first: number, count: number) => void
    close(): this
  }
  namespace Database {
    type Database = import('better-sqlite3')
    type Options = object
    interface RunResult {
      readonly changes: number
      readonly lastInsertRowid: number | bigint
    }
    interface Statement {
      readonly reader: boolean
      run(...values: unknown[]): RunResult
      get(...values: unknown[]): unknown
      all(...values: unknown[]): unknown[]
      iterate(values: readonly unknown[]): IterableIterator<unknown>
      pluck(): this
    }
  }
  export = Database
}
