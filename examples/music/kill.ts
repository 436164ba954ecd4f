/** `npm run music:kill`: kills imports with -9 over and over. Ends with code 1 if one left a file in part. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { makeOddFiles } from './fixtures/broken.ts'
import { makeLibrary } from './fixtures/library.ts'
import { isInstalled } from './installed.ts'
import { runKills, type Tally } from './kill/campaign.ts'

const usage = `Usage: npm run music:kill -- [--kills N] [--seed S] [--files N] [--mode M]

  --kills N  processes to kill (100)
  --seed S   repeats the files, and after how many of them each process is killed
  --files N  songs to import (200)
  --mode M   tidemark (the default), or baseline, which leaves files in part`

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '100' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 1_000_000)) },
    files: { type: 'string', default: '200' },
    mode: { type: 'string', default: 'tidemark' },
    help: { type: 'boolean', default: false },
  },
})

if (values.help) console.log(usage)
else if (isInstalled()) {
  const place = mkdtempSync(path.join(tmpdir(), 'tidemark-music-'))
  const folder = path.join(place, 'files')
  const [kills, seed, files] = [Number(values.kills), Number(values.seed), Number(values.files)]
  const mode = values.mode === 'baseline' ? 'baseline' : 'tidemark'
  console.log(`${kills} kills of imports (${mode}) of ${files} songs, seed ${seed}, in ${place}`)
  // WAV alone: with it an import spends most of its time writing.
  await makeLibrary(folder, { files, seed, only: ['wav'] })
  makeOddFiles(folder)
  const tally = await runKills({ folder, place, mode, kills, seed, onKill: tellNowAndThen })
  console.log(described(tally))
  if (tally.faults.length === 0) {
    console.log('no file in part')
    rmSync(place, { recursive: true })
  } else {
    for (const fault of tally.faults.slice(0, 20)) console.error(fault)
    console.error(`${tally.faults.length} FAULTS, seed ${seed}. The databases are kept: ${place}`)
    process.exitCode = 1
  }
}

function tellNowAndThen(tally: Tally): void {
  if (tally.kills % 10 === 0) console.log(described(tally))
}

function described({ kills, songs, faults }: Tally): string {
  return `${kills} kills, ${songs} songs found after them, ${faults.length} faults`
}
