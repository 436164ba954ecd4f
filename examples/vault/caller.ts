import path from 'node:path'

/** A path as it was named: npm runs a script in the folder of its package, and tells from where it was called. */
export function fromCaller(named: string): string {
  return path.resolve(process.env['INIT_CWD'] ?? '', named)
}
