/** What tests of `tidemark doctor` have in common. */
import { expect } from 'vitest'
import { Command, type Result } from './command.ts'

interface Finding {
  readonly status: string
  readonly name: string
  readonly finding: string
  readonly advice?: string
}

export interface Examined extends Result {
  /** The line that a check printed, and what it advises to do. */
  readonly of: (name: string) => Finding
  readonly findings: readonly Finding[]
}

export async function doctor(
  folder: string,
  parameters: readonly string[] = [],
  options: ConstructorParameters<typeof Command>[2] = {},
): Promise<Examined> {
  const result = await new Command(folder, ['doctor', ...parameters], options).ended
  const pieces = result.stdout.matchAll(/^(ok|warn|FAIL) +([^:\n]+): (.*)\n(?: {6}→ (.*)\n)?/gm)
  const findings = [...pieces].map(([, status = '', name = '', finding = '', advice]): Finding => {
    expect(advice === undefined, `${name} says what to do`).toBe(status === 'ok')
    return { status, name, finding, ...(advice === undefined ? {} : { advice }) }
  })
  const of = (name: string): Finding => {
    const found = findings.filter((each) => each.name === name)
    expect(found, `one line for "${name}" in\n${result.stdout}${result.stderr}`).toHaveLength(1)
    return found[0] ?? { status: '', name, finding: '' }
  }
  return { ...result, of, findings }
}
