/** `tidemark doctor`: looks at a database and at what is around it, changes nothing, and says what to do. */
import { examine } from '../doctor/examine.ts'
import { textOf } from '../doctor/finding.ts'
import { EXIT } from '../failure.ts'

/** @returns the exit code: failed when a check did */
export async function doctor(
  database: string,
  { isFull, asJson }: { readonly isFull: boolean; readonly asJson: boolean },
): Promise<number> {
  const findings = [...examine({ database, isFull, project: process.cwd() })]
  const hasFailed = findings.some(({ status }) => status === 'FAIL')
  const document = { database, ok: !hasFailed, findings }
  process.stdout.write(asJson ? `${JSON.stringify(document, null, 2)}\n` : textOf(findings))
  return hasFailed ? EXIT.failed : EXIT.ok
}
