/**
 * Runs the import rules of `.dependency-cruiser.mjs`.
 *
 * Without a parser for TypeScript the cruiser reads nothing and finds nothing wrong, so this also fails
 * when any source file went unread.
 */
import { existsSync } from 'node:fs'
import { Visitor } from '@swc/core/Visitor.js'
import { cruise, type ICruiseResult } from 'dependency-cruiser'
import extractOptions from 'dependency-cruiser/config-utl/extract-depcruise-options'
import { SOURCE_FOLDERS, sourceFiles } from './source-files.ts'

// The parser's visitor does not know `using` declarations and throws on them: for imports they are like `const`.
// oxlint-disable-next-line typescript/unbound-method -- it is called with the visitor below
const visitStatement = Visitor.prototype.visitStatement
Visitor.prototype.visitStatement = function visitKnownStatement(statement) {
  const { type } = statement as { type: string }
  if (type !== 'UsingDeclaration') return visitStatement.call(this, statement)
  const { decls } = statement as unknown as { decls: Parameters<Visitor['visitVariableDeclarators']>[0] }
  this.visitVariableDeclarators(decls)
  return statement
}

const root = process.cwd()
const options = await extractOptions(`${root}/.dependency-cruiser.mjs`)
const folders = SOURCE_FOLDERS.filter((folder) => existsSync(folder))
const { output } = await cruise(folders, { ...options, baseDir: root, validate: true })
const { modules, summary } = output as ICruiseResult

const read = new Set(modules.map((module) => module.source))
const unread = sourceFiles().filter((file) => !read.has(file))
for (const file of unread) console.error(`${file}: was not read`)
for (const { rule, from, to } of summary.violations) console.error(`${from}: ${rule.name}: imports ${to}`)

console.log(`${summary.totalCruised} modules read, ${summary.violations.length} forbidden imports`)
if (summary.totalCruised === 0) console.error('0 modules read: is @swc/core installed?')
if (summary.totalCruised === 0 || unread.length > 0 || summary.error > 0) process.exitCode = 1
