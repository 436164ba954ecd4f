/** `tidemark doctor`: looks at a database and at what is around it, changes nothing, and says what to do. */
import { examine } from '../doctor/examine.ts'
import { textOf, type Finding } from '../doctor/finding.ts'
import { needingPg, type Database } from '../database.ts'
import { EXIT } from '../failure.ts'

/** @returns the exit code: failed when a check did */
export async function doctor(
  database: Database,
  { isFull, asJson }: { readonly isFull: boolean; readonly asJson: boolean },
): Promise<number> {
  const findings: Finding[] = []
  for await (const finding of await examined(database, isFull)) findings.push(finding)
  const hasFailed = findings.some(({ status }) => status === 'FAIL')
  const document = { database: database.name, ok: !hasFailed, findings }
  process.stdout.write(asJson ? `${JSON.stringify(document, null, 2)}\n` : textOf(findings))
  return hasFailed ? EXIT.failed : EXIT.ok
}

async function examined(
  database: Database,
  isFull: boolean,
): Promise<Iterable<Finding> | AsyncIterable<Finding>> {
  if (database.kind === 'sqlite') return examine({ database: database.path, isFull, project: process.cwd() })
  const { examineServer } = await needingPg(() => import('../doctor/postgres/examine.ts'))
  return examineServer(database)
}
