/** Statements that are sent in one request, and the values that they name. */
export class Script {
  readonly statements: string[] = []
  readonly variables: Record<string, unknown> = {}
  #values = 0

  /** @returns the parameter that stands for the value */
  value(value: unknown): string {
    const name = `v${this.#values++}`
    this.variables[name] = value
    return `$${name}`
  }

  /** @returns at which place its answer will be */
  add(statement: string): number {
    return this.statements.push(statement) - 1
  }
}
