/** S3: the music example on real audio files, through the command that its users have. */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import type { ImportResult } from '../../examples/music/import/result.ts'
import { look, temporaryFolder } from '../support/database-file.ts'
import { withExample } from '../support/examples.ts'
import { runMusic } from './music-command.ts'

await withExample('music', async () => {
  const { damageOf } = await import('../../examples/music/content.ts')
  const { makeLibrary, write } = await import('../../examples/music/fixtures/library.ts')
  const { makeOddFiles } = await import('../../examples/music/fixtures/broken.ts')
  const { seeded } = await import('../../examples/music/fixtures/random.ts')
  const { makeSound } = await import('../../examples/music/fixtures/sound.ts')
  const { wav } = await import('../../examples/music/fixtures/wav.ts')
  const { runKills } = await import('../../examples/music/kill/campaign.ts')
  const { locksPerFile, writeLocksPerFile } = await import('../../examples/music/report/report.ts')

  async function importInto(folder: string, database: string, ...more: string[]): Promise<ImportResult[]> {
    const json = `${database}.json`
    await runMusic([folder, '--workers', '4', '--database', database, '--json', json, ...more])
    return JSON.parse(readFileSync(json, 'utf8')) as ImportResult[]
  }

  // SPEC S3.1, S3.3, S3.10
  test('a folder is imported both ways: the same rows, and a hundredth of the locks', async () => {
    const place = temporaryFolder()
    const folder = path.join(place, 'files')
    const made = await makeLibrary(folder, { files: 40, seed: 7 })
    const odd = makeOddFiles(folder)

    const [tidemark, baseline] = await importInto(
      folder,
      path.join(place, 'music.db'),
      '--mode',
      'both',
      '--linger-ms',
      '60000',
    )
    expect(tidemark?.content).toBe(baseline?.content)
    for (const result of [tidemark, baseline]) {
      const imported = odd.filter(({ becomes }) => becomes === 'imported')
      expect(result?.rows['songs']).toBe(made.length + imported.length)
      const faults = odd.filter(({ becomes }) => becomes === 'skipped' || becomes === 'rejected')
      expect(result?.faults.map(({ path: file }) => file)).toEqual(
        faults.map(({ path: file }) => file).toSorted(),
      )
      for (const { path: file, becomes, reason } of faults) {
        const told = result?.faults.find((fault) => fault.path === file)?.reason
        expect(told, file).toMatch(reason ?? /./)
        expect(told, file).toMatch(becomes)
      }
      expect(result?.others).toBe(1)
    }
    expect(writeLocksPerFile(tidemark!), 'lock acquisitions a file').toBeLessThan(0.1)
    expect(locksPerFile(baseline!), 'lock acquisitions a file').toBeGreaterThan(10)

    const file = path.join(place, 'music.tidemark.db')
    expect(damageOf(file)).toEqual([])
    const passages = look(
      file,
      'SELECT path, (SELECT count(*) FROM passages WHERE song = id) AS passages FROM songs',
    )
    expect(passages).toEqual(expect.arrayContaining(made))
    expect(
      look(
        file,
        "SELECT format, title, artist, album, track, state FROM songs WHERE path LIKE '%/02 Flood no. 1.flac'",
      ),
    ).toMatchObject([{ format: 'FLAC FLAC', title: 'Flood no. 1', artist: 'Amsel and the Waves', track: 2 }])
  })

  test('imported again, nothing is doubled; a file that has changed has its passages replaced', async () => {
    const place = temporaryFolder()
    const folder = path.join(place, 'files')
    const database = path.join(place, 'music.db')
    const [changed] = await makeLibrary(folder, { files: 20, seed: 8, only: ['wav'] })
    const [first] = await importInto(folder, database)
    const [again] = await importInto(folder, database)
    expect(again).toMatchObject({
      files: { imported: 0, changed: 0, unchanged: 20 },
      content: first?.content,
    })

    const sound = makeSound(seeded(99))
    const tags = { title: 'Another', artist: 'Amsel and the Waves', album: 'Another', track: 1, year: 2001 }
    write(folder, changed!.path, wav(sound.samples, tags))
    const [after] = await importInto(folder, database)
    expect(after).toMatchObject({ files: { imported: 0, changed: 1, unchanged: 19 } })
    const [fresh] = await importInto(folder, path.join(place, 'fresh.db'))
    expect(after?.content).toBe(fresh?.content)
    expect(damageOf(database)).toEqual([])
  })

  // SPEC S3.4
  test('an import that is killed with -9 leaves no file in part, and the next one makes up for it', async () => {
    const seed = Number(process.env['TIDEMARK_CRASH_SEED'] ?? Math.floor(Math.random() * 1_000_000))
    console.log(`TIDEMARK_CRASH_SEED=${seed}`)
    const place = temporaryFolder()
    const folder = path.join(place, 'files')
    await makeLibrary(folder, { files: 160, seed, only: ['wav'] })
    const tally = await runKills({ folder, place, mode: 'tidemark', kills: 4, seed })
    console.log(`${tally.kills} kills, ${tally.songs} songs found after them`)
    expect(tally.faults).toEqual([])
  })
})
