/** Opens an embedded SurrealDB, says so, and writes rows until it is killed; each that is committed is said. */
import { sql } from 'kysely'
import { open } from '../../src/index.ts'
import { surrealdb } from '../../src/surrealdb.ts'

const [url = '', from = '0'] = process.argv.slice(2)
try {
  const db = await open(surrealdb(url), { writer: 'rows' })
  await db.transaction(async (trx) => {
    await sql`DEFINE TABLE IF NOT EXISTS rows`.execute(trx)
  })
  let told = 0
  for (let n = Number(from); ; n++) {
    const receipt = db.upsert('rows', { id: n, text: 'x'.repeat(n % 100) })
    if (n % 7 === 0) {
      await receipt
      console.log(`committed ${n}`)
      console.log(`told ${++told}`)
    }
  }
} catch (error) {
  console.log(`refused ${(error as Error).message}`)
}
