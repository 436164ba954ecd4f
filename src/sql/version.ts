import { createHash } from 'node:crypto'

/** The same for the same tables, where the database itself counts no changes of them. */
export function versionOf(found: unknown): string {
  const text = JSON.stringify(found, (_, value: unknown) =>
    typeof value === 'bigint' ? value.toString() : value,
  )
  return createHash('sha256').update(text).digest('hex').slice(0, 16)
}
