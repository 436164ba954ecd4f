/** Tests of the examples, whose packages are their own. */
import { existsSync } from 'node:fs'
import { expect, test } from 'vitest'

/**
 * Defines tests of `examples/<name>`. Where its packages are not installed they are one skipped test that tells how to
 * install them; where `TIDEMARK_REQUIRE_SERVICES=1` is set, one that fails.
 */
export async function withExample(name: string, define: () => void | Promise<void>): Promise<void> {
  if (existsSync(new URL(`../../examples/${name}/node_modules`, import.meta.url))) return await define()
  test(`the packages of examples/${name} are installed`, ({ skip }) => {
    const missing = `its packages are not installed: npm ci --prefix examples/${name}`
    if (process.env['TIDEMARK_REQUIRE_SERVICES'] === '1') expect.fail(missing)
    skip(missing)
  })
}
