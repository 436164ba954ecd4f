/**
 * Rules of this repository that no linter knows:
 *
 * - no TypeScript file is longer than 400 lines;
 * - the engine takes time, timers and chance from `src/runtime/` only, so that a simulation can replay it;
 * - `src/index.ts` re-exports and does nothing else.
 */
import { readFileSync } from 'node:fs'
import { sourceFiles } from './source-files.ts'

const MAX_LINES = 400

/** Folders and files that may look at the clock: they run beside the engine, or measure it. */
const MAY_BE_NONDETERMINISTIC = [/^src\/(runtime|cli|testing)\//, /\.test\.ts$/]

const NONDETERMINISM =
  /\b(?:Date\.now|performance\.now|process\.hrtime|process\.nextTick|Math\.random|random(?:UUID|Bytes|Int|FillSync)|getRandomValues|setTimeout|setInterval|setImmediate|AbortSignal\.timeout)\b|\bnew Date\(\)|\btimers\/promises\b/

const RE_EXPORT = /\bexport\s+(?:type\s+)?(?:\*|\{[^}]*\})(?:\s+as\s+\w+)?\s+from\s+'[^']+';?/g

const problems = sourceFiles().flatMap((file) => problemsOf(file, readFileSync(file, 'utf8')))
for (const problem of problems) console.error(problem)
if (problems.length > 0) process.exitCode = 1

function problemsOf(file: string, text: string): string[] {
  const found: string[] = []
  const length = text.split('\n').length - 1
  if (length > MAX_LINES) found.push(`${file}: ${length} lines, at most ${MAX_LINES}: split it`)

  const code = withoutComments(text)
  if (file.startsWith('src/') && !MAY_BE_NONDETERMINISTIC.some((pattern) => pattern.test(file))) {
    code.split('\n').forEach((line, index) => {
      const use = NONDETERMINISM.exec(line)
      if (use)
        found.push(`${file}:${index + 1}: ${use[0]}: only src/runtime/ may, and the engine is handed it`)
    })
  }
  if (file === 'src/index.ts' && code.replaceAll(RE_EXPORT, '').trim() !== '') {
    found.push(`${file}: re-exports only; put anything else into a module of its own`)
  }
  return found
}

/** Blanks comments and keeps the lines where they are. Good enough for code that a formatter laid out. */
function withoutComments(text: string): string {
  return text
    .replaceAll(/\/\*[\s\S]*?\*\//g, (comment) => comment.replaceAll(/[^\n]/g, ' '))
    .replaceAll(/(^|\s)\/\/.*$/gm, '$1')
}
