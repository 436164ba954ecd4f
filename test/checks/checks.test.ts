/**
 * Every check of `npm run check` is seen to fail: a copy of this tree gets planted violations, and the check that they
 * are for must fail and name each file, and why. The copy as it is must pass, so that the failures are the plants'.
 * They are planted all at once; what is then hidden by another is planted again, alone.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { violations, type Violation } from './violations.ts'

const root = path.resolve(import.meta.dirname, '../..')
const folder = mkdtempSync(path.join(tmpdir(), 'tidemark-checks-'))
const copy = path.join(folder, 'tree')

beforeAll(() => {
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
  })
  for (const file of listed.toString().split('\0')) {
    // A file that is deleted but not yet committed is listed and not there.
    if (file && existsSync(path.join(root, file))) cpSync(path.join(root, file), path.join(copy, file))
  }
  symlinkSync(path.join(root, 'node_modules'), path.join(copy, 'node_modules'), 'junction')
})

afterAll(() => {
  rmSync(folder, { recursive: true })
})

describe.each(Object.entries(Object.groupBy(violations, (violation) => violation.check)))(
  'check:%s',
  (check, planted) => {
    let together: Ending
    beforeAll(() => {
      together = runWith(check, planted)
    })

    test('passes this tree', () => {
      const { status, output } = run(check)
      expect(status, output).toBe(0)
    })

    test.each(planted)('refuses $what', (violation) => {
      const isSeen =
        violation.says.test(together.output) &&
        together.output.includes(Object.keys(violation.files)[0] ?? '')
      const { status, output } = isSeen ? together : runWith(check, [violation])
      expect(status, output).not.toBe(0)
      expect(output).toContain(Object.keys(violation.files)[0])
      expect(output).toMatch(violation.says)
    })
  },
)

interface Ending {
  readonly status: number | null
  readonly output: string
}

function runWith(check: string, planted: readonly Violation[]): Ending {
  const restores = planted.map(plant)
  try {
    return run(check)
  } finally {
    for (const restore of restores.toReversed()) restore()
  }
}

/** Files that it has found well formatted the formatter need not lay out again to find the planted one. */
const remembering = ['--', '--cache', '--cache-location', path.join(folder, 'formatted')]

function run(check: string): Ending {
  const options = check === 'format' ? remembering : []
  const { status, stdout, stderr } = spawnSync('npm', ['run', '--silent', `check:${check}`, ...options], {
    cwd: copy,
    encoding: 'utf8',
    env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: undefined },
  })
  return { status, output: stdout + stderr }
}

/** Plants the violation's files and returns what takes them away again. */
function plant({ files }: Violation): () => void {
  const before = Object.entries(files).map(([file, content]) => {
    const at = path.join(copy, file)
    const text = existsSync(at) ? readFileSync(at, 'utf8') : undefined
    mkdirSync(path.dirname(at), { recursive: true })
    writeFileSync(at, typeof content === 'string' ? content : content(text ?? ''))
    return { at, text }
  })
  return () => {
    for (const { at, text } of before) {
      if (text === undefined) rmSync(at)
      else writeFileSync(at, text)
    }
  }
}
