/**
 * Opens a file, perhaps as another user, and says what came of it.
 *
 *   node open-process.ts FILE
 */
import { open, StoreError } from '../../src/index.ts'
import { sqlite } from '../../src/stores/sqlite/index.ts'

try {
  const db = await open(sqlite(process.argv[2] ?? ''))
  await db.close()
  console.log('opened')
} catch (error) {
  if (!(error instanceof StoreError)) throw error
  const { code, storeCode, failure, message, hint } = error
  console.log(`failed ${JSON.stringify({ code, storeCode, failure, message, hint })}`)
}
