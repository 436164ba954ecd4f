/** What a contender's table must hold afterwards: all rows of the pool, once each, whole. */
import { Client } from 'pg'
import { columnsOf, POOL_SIZE, rowsOf, type TableName } from '../../workloads/postgres/rows.ts'
import { FIRST_TS } from '../../workloads/rows.ts'

export interface Expected {
  readonly table: TableName
  readonly rows: number
  /** The order of their ids is that in which they were written. */
  readonly isOrdered: boolean
}

/** Which row of the pool it is. */
const PLACES: Readonly<Record<TableName, string>> = {
  logs: `at - ${FIRST_TS}`,
  events: `(extract(epoch FROM happened_at) * 1000)::bigint - ${FIRST_TS}`,
}

const hashes = new Map<TableName, readonly bigint[]>()

/** @throws unless the table holds exactly rows 0 … `rows - 1` of the pool, once each, whole, and in order where asked */
export async function verifyRows(url: string, { table, rows, isOrdered }: Expected): Promise<void> {
  const client = new Client(url)
  await client.connect()
  try {
    const known = hashes.get(table) ?? (await hashPool(client, table))
    hashes.set(table, known)
    const whole = BigInt(Math.floor(rows / POOL_SIZE))
    const rest = rows % POOL_SIZE
    const checksum = known.reduce((sum, hash, at) => sum + hash * (whole + (at < rest ? 1n : 0n)), 0n)
    const misplaced = isOrdered
      ? `(SELECT count(*) FROM (SELECT ${PLACES[table]} AS place, row_number() OVER (ORDER BY id) - 1 AS at FROM ${table}) AS placed
          WHERE place <> at % ${POOL_SIZE})`
      : '0'
    const found = await client.query<Record<string, unknown>>(
      `SELECT count(*) AS rows, count(DISTINCT id) AS ids, coalesce(sum(${hashOf(table)}::numeric), 0) AS checksum,
              ${misplaced} AS misplaced FROM ${table}`,
    )
    const expected = { rows, ids: rows, checksum, misplaced: 0 }
    for (const [name, value] of Object.entries(expected)) {
      const told = String(found.rows[0]?.[name])
      if (told !== String(value)) throw new Error(`${name} should be ${value}, the table says ${told}`)
    }
  } finally {
    await client.end()
  }
}

/** As the server itself reads the pool's rows. */
async function hashPool(client: Client, table: TableName): Promise<readonly bigint[]> {
  const columns = columnsOf(table).map(({ name, type }) => `${name} ${type}`)
  const { at } = rowsOf(table)
  const pool = JSON.stringify(Array.from({ length: POOL_SIZE }, (_, index) => at(index)))
  const { rows } = await client.query<{ hash: string }>(
    `SELECT ${hashOf(table)}::text AS hash
     FROM ROWS FROM (json_to_recordset($1) AS (${columns.join(', ')})) WITH ORDINALITY ORDER BY ordinality`,
    [pool],
  )
  return rows.map(({ hash }) => BigInt(hash))
}

function hashOf(table: TableName): string {
  const names = columnsOf(table).map(({ name }) => name)
  return `hashtextextended(concat_ws('|', ${names.join(', ')}), 0)`
}
