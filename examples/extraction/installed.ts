/** The example's own packages, which the root install does not have. */
import { existsSync } from 'node:fs'

/** @returns whether they are there; if not, the user is told, and the exit code is 2 */
export function isInstalled(): boolean {
  if (existsSync(new URL('node_modules', import.meta.url))) return true
  console.error('The packages of this example are not installed: npm ci --prefix examples/extraction')
  process.exitCode = 2
  return false
}
