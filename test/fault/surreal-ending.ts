/** Makes a database, through a client of its own and then through the engine's, closes all, and has nothing more to do. */
import { createNodeEngines } from '@surrealdb/node'
import { Surreal } from 'surrealdb'
import { open } from '../../src/index.ts'
import { surrealdb } from '../../src/surrealdb.ts'

const [url = ''] = process.argv.slice(2)
const client = new Surreal({ engines: createNodeEngines() })
await client.connect('mem://', { namespace: 'notes', database: 'notes' })
await (await open(surrealdb(client))).close()
await client.close()
await (await open(surrealdb(url))).close()
