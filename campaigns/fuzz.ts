/**
 * `npm run fuzz`: malformed requests at a running `tidemark serve`, and whether it is what it was before: alive, no
 * answer of 5xx but 503, nothing told that is nobody's business, no socket and no memory kept. Ends with code 1 if not.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { TEXT, wholeNumber } from '../bench/options/parse.ts'
import { fuzz } from '../test/server/fuzzed-server.ts'
import { Program } from '../test/support/program.ts'
import { command } from './command.ts'

const usage = `Usage: npm run fuzz -- [--requests N] [--seed S]

  --requests N   how many (100,000)
  --seed S       repeats the requests of a run`

const toldEvery = 10_000

await command(usage, { requests: TEXT, seed: TEXT }, async (given) => {
  const count = wholeNumber('requests', given.requests, 100_000)
  const seed = wholeNumber('seed', given.seed, Math.floor(Math.random() * 1_000_000), 0)
  const folder = mkdtempSync(path.join(tmpdir(), 'tidemark-fuzz-'))
  console.log(`${count} requests, seed ${seed}`)
  const startedMs = performance.now()
  const started: Program[] = []
  const start = (...program: ConstructorParameters<typeof Program>): Program => {
    const server = new Program(...program)
    started.push(server)
    return server
  }
  const onProgress = (done: number): void => {
    if (done % toldEvery === 0)
      console.log(`${done} after ${Math.round((performance.now() - startedMs) / 1_000)} s`)
  }
  try {
    const { statuses, violations, heapMb } = await fuzz(folder, start, { seed, count, onProgress })
    console.log(
      Object.entries(statuses)
        .map(([status, times]) => `${status === '0' ? 'closed' : status}: ${times}`)
        .join(', '),
    )
    console.log(`heap ${heapMb.before} MB before, ${heapMb.after} MB after`)
    for (const violation of violations) console.error(`VIOLATION, seed ${seed}: ${violation}`)
    console.log(violations.length === 0 ? 'no violation' : `${violations.length} violations`)
    return violations.length === 0 ? 0 : 1
  } finally {
    for (const server of started) await server.kill()
    rmSync(folder, { recursive: true })
  }
})
