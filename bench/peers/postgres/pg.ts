/** The driver itself, `pg`, by hand: every statement prepared once, under a name, which is its fastest way. */
import { Client } from 'pg'
import type { PostgresRows } from '../../workloads/postgres/rows.ts'
import { inCommits } from '../peer.ts'
import { AWAITING, type OpenPostgresPeer } from './peer.ts'

const CONNECTIONS = 16

/** Many rows a statement, each an array a column. */
export const unnest: OpenPostgresPeer = (url, rows, { rowsPerCommit }) =>
  openUnnest(url, rows, rowsPerCommit, '')

/** The same, which also learns the ids that Tidemark's receipts tell. */
export const unnestWithIds: OpenPostgresPeer = (url, rows, { rowsPerCommit }) =>
  openUnnest(url, rows, rowsPerCommit, ' RETURNING id')

/** One row after another. */
export const single: OpenPostgresPeer = async (url, rows) => {
  const client = await connect(url)
  const insertOne = inserting(rows)
  return {
    write: inCommits({ rowsPerCommit: 1, commitsPerTick: AWAITING }, (index) => insertOne(client, index)),
    insertOne: (index) => insertOne(client, index),
    close: () => client.end(),
  }
}

/** One row after another on each of 16 connections; who finds none free waits for the next. */
export const manyConnections: OpenPostgresPeer = async (url, rows) => {
  const clients = await Promise.all(Array.from({ length: CONNECTIONS }, () => connect(url)))
  const insert = inserting(rows)
  const idle = [...clients]
  const waiting: ((client: Client) => void)[] = []
  const insertOne = async (index: number): Promise<void> => {
    const client = idle.pop() ?? (await new Promise<Client>((resolve) => void waiting.push(resolve)))
    await insert(client, index)
    const next = waiting.shift()
    if (next) next(client)
    else idle.push(client)
  }
  return {
    write: async (first, count) => {
      let next = first
      const lane = async (): Promise<void> => {
        while (next < first + count) await insertOne(next++)
      }
      await Promise.all(clients.map(lane))
    },
    insertOne,
    close: async () => void (await Promise.all(clients.map((client) => client.end()))),
  }
}

async function openUnnest(url: string, rows: PostgresRows, rowsPerCommit: number, returning: string) {
  const client = await connect(url)
  const { table, columns } = rows
  const names = columns.map(({ name }) => name)
  const arrays = columns.map(({ type }, at) => `$${at + 1}::${type}[]`)
  const text = `INSERT INTO ${table} (${names.join(', ')}) SELECT * FROM unnest(${arrays.join(', ')})${returning}`
  return {
    write: inCommits({ rowsPerCommit, commitsPerTick: AWAITING }, (first, count) => {
      const values: unknown[][] = names.map(() => [])
      for (let index = first; index < first + count; index++) {
        const row = rows.at(index)
        for (let at = 0; at < names.length; at++) values[at]?.push(row[names[at] ?? ''])
      }
      return client.query({ name: 'insert', text, values })
    }),
    close: () => client.end(),
  }
}

function inserting({
  table,
  columns,
  at,
}: PostgresRows): (client: Client, index: number) => Promise<unknown> {
  const names = columns.map(({ name }) => name)
  const text = `INSERT INTO ${table} (${names.join(', ')}) VALUES (${names.map((_, place) => `$${place + 1}`).join(', ')})`
  return (client, index) => {
    const row = at(index)
    return client.query({ name: 'insert', text, values: names.map((name) => row[name]) })
  }
}

async function connect(url: string): Promise<Client> {
  const client = new Client(url)
  await client.connect()
  return client
}
