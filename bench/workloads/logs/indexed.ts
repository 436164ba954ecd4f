import type { DatabaseSync } from 'node:sqlite'

/** Rows that the generations of the full-text index have, each of which is checked against itself. @throws when one is damaged */
export function indexedRows(database: DatabaseSync): number {
  const names = database
    .prepare(
      `SELECT name FROM sqlite_schema WHERE name GLOB 'logs_text*' AND sql GLOB 'CREATE VIRTUAL TABLE*'`,
    )
    .all()
    .map(({ name }) => String(name))
  let rows = 0
  for (const name of names) {
    database.exec(`INSERT INTO "${name}" ("${name}") VALUES ('integrity-check')`)
    const found = database
      .prepare(`SELECT count(*) AS rows FROM logs WHERE id IN (SELECT id FROM "${name}_docsize")`)
      .get()
    rows += Number(found?.['rows'])
  }
  return rows
}
