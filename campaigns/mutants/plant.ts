/** Plants a mutant in a copy of the tree and lets the simulation look for it. */
import { spawn } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { Found } from './hunt.ts'
import type { Mutant } from './mutant.ts'

const root = path.resolve(import.meta.dirname, '../..')
/** For one history: it takes milliseconds, or minutes where others keep the machine; one that never ends is a mutant found. */
const patienceMs = 600_000

export type Hunt = Found | 'survived' | 'never ended'

export async function hunt(mutant: Mutant): Promise<Hunt> {
  const copy = mkdtempSync(path.join(tmpdir(), 'tidemark-mutant-'))
  try {
    mkdirSync(path.join(copy, 'campaigns'))
    cpSync(path.join(root, 'src'), path.join(copy, 'src'), { recursive: true })
    cpSync(import.meta.dirname, path.join(copy, 'campaigns/mutants'), { recursive: true })
    cpSync(path.join(root, 'package.json'), path.join(copy, 'package.json'))
    symlinkSync(path.join(root, 'node_modules'), path.join(copy, 'node_modules'), 'junction')
    writeFileSync(path.join(copy, mutant.file), mutated(mutant))
    return await run(path.join(copy, 'campaigns/mutants/hunt.ts'), mutant)
  } finally {
    rmSync(copy, { recursive: true })
  }
}

/** @returns the file with the bug in it. @throws when the code has changed, so that it cannot be planted any more */
export function mutated({ file, edits, name }: Mutant): string {
  let text = readFileSync(path.join(root, file), 'utf8')
  for (const [old, instead] of edits) {
    if (text.split(old).length !== 2) throw new Error(`"${name}": ${JSON.stringify(old)} is not there once`)
    text = text.replace(old, () => instead)
  }
  return text
}

function run(program: string, { within, world = 'writes' }: Mutant): Promise<Hunt> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [program, String(within), world], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let [output, errors] = ['', '']
    const timer = setTimeout(() => child.kill('SIGKILL'), patienceMs)
    child.stdout.on('data', (text: Buffer) => {
      timer.refresh()
      output += text.toString()
    })
    child.stderr.on('data', (text: Buffer) => (errors += text.toString()))
    child.on('error', reject)
    child.on('close', (code, signal) => {
      clearTimeout(timer)
      if (signal === 'SIGKILL') return resolve('never ended')
      if (code !== 0) return reject(new Error(`the hunt failed: ${errors}`))
      resolve((JSON.parse(output) as Found | null) ?? 'survived')
    })
  })
}
