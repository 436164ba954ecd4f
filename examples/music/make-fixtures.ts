/** `npm run music:fixtures`: makes a folder of audio files to import, with real sound, tags and faults. */
import path from 'node:path'
import { parseArgs } from 'node:util'
import { makeOddFiles } from './fixtures/broken.ts'
import { isInstalled } from './installed.ts'
import { formats, makeLibrary } from './fixtures/library.ts'

const usage = `Usage: npm run music:fixtures -- FOLDER [--files N] [--seed S] [--formats F]

  --files N  WAV, FLAC, MP3 and Ogg Vorbis in turn (400), and a dozen odd and broken ones
  --formats F  only these, such as wav,flac
  --seed S   the same seed makes the same files (1)`

const { values, positionals } = parseArgs({
  options: {
    files: { type: 'string', default: '400' },
    seed: { type: 'string', default: '1' },
    formats: { type: 'string', default: formats.join(',') },
  },
  allowPositionals: true,
})
const [folder] = positionals
if (folder === undefined) {
  console.error(usage)
  process.exitCode = 2
} else if (isInstalled()) {
  const made = await makeLibrary(folder, {
    files: Number(values.files),
    seed: Number(values.seed),
    only: formats.filter((format) => values.formats.split(',').includes(format)),
  })
  const odd = makeOddFiles(folder)
  console.log(`${made.length} songs and ${odd.length} odd files in ${path.resolve(folder)}`)
}
