/** S2: whole books through a pipeline whose memory is the truth while a job runs, by its own command. */
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { everyBook, readBook } from '../../examples/books/library.ts'
import { look, temporaryFolder } from '../support/database-file.ts'
import { withExample } from '../support/examples.ts'
import { books, booksDone, newFile, runDone } from './books-command.ts'
import { prose, worked } from './books-worked.ts'

await withExample('books', () => {
  const undisturbed = newResult()

  // SPEC S2.2, S2.6, S2.8
  test('both ways of writing find the same, row by row, and only one of them waits for more than the record of a job', async () => {
    const files = { memoryFirst: newFile(), blocking: newFile() }
    const titles = ['carroll-alice', 'shakespeare-macbeth']
    const memoryFirst = await runDone(files.memoryFirst, ...titles)
    const blocking = await runDone(files.blocking, '--mode', 'blocking', ...titles)

    expect(memoryFirst.hash).toBe(blocking.hash)
    for (const table of ['books', 'entries', 'chapters']) {
      const all = `SELECT * FROM ${table} ORDER BY 1, 2`
      const rows = look(files.memoryFirst, all)
      expect(rows.length).toBeGreaterThanOrEqual(titles.length)
      expect(rows).toEqual(look(files.blocking, all))
    }
    expect(memoryFirst.awaitedWrites, 'one for each job').toBe(titles.length)
    expect(blocking.awaitedWrites, 'each row in turn').toBeGreaterThan(150)
    expect(memoryFirst.latencies).toHaveLength(titles.length * 6)
  })

  // SPEC S2.5, S2.8
  test.for(['started carroll-alice contents', 'worked carroll-alice links'])(
    'killed when it had "%s", it goes on from the database, and ends with what an undisturbed run has',
    async (moment) => {
      const file = newFile()
      const killed = books('run', '--database', file, '--delay-ms', '30', '--events', 'carroll-alice')
      await killed.said(moment)
      await killed.kill()
      expect(look(file, "SELECT * FROM books WHERE stage = 'polish'"), 'it was not done').toEqual([])

      expect((await runDone(file, 'carroll-alice')).hash).toBe(await undisturbed('carroll-alice'))
    },
  )

  // SPEC S2.3
  test('a run that finds everything done does nothing, and serves status from the database until it is told to stop', async () => {
    const file = newFile()
    await runDone(file, 'shakespeare-macbeth')
    const again = books('run', '--database', file, '--port', '0', '--events', 'shakespeare-macbeth')
    const url = await again.said('status')
    await again.said('finished:')
    expect(again.has('started')).toBe(false)
    const status: unknown = await (await fetch(url)).json()
    expect(status).toMatchObject({ from: 'database', isSaved: true, lagMs: 0, book: { stage: 'polish' } })
    expect((await fetch(new URL('/books/no-such-book', url))).status).toBe(404)
    again.stop()
    expect(await again.ended).toMatchObject({ code: 0 })
  })

  // SPEC S2.8
  test('the comparison runs both ways on a near and a far database, and draws what it measured', async () => {
    const picture = path.join(temporaryFolder(), 'books.svg')
    const said = await booksDone('compare', '--delay-ms', '2', '--chart', picture, 'shakespeare-macbeth')
    expect(said).toContain('blocking, +2 ms a commit')
    expect(said).toContain('links → chapters')
    expect(said).toMatch(/All runs found the same: sha256 [\da-f]{64}/)
    expect(readFileSync(picture, 'utf8')).toContain('memory-first, SQLite')
  })

  // SPEC S2.5, S2.8
  test('rounds of kills at moments from a seed end with the result of the undisturbed run', async () => {
    const said = await booksDone('kill', '--rounds', '1', '--seed', '3', '--delay-ms', '5', 'carroll-alice')
    expect(said).toMatch(/round 1: the same; killed behind "/)
    expect(said).toContain('seed 3: 1 rounds, all with the result of the undisturbed run')
  })

  // SPEC S2.8
  test('a folder of pictures is read page by page, and is a book like any other', async () => {
    const folder = temporaryFolder()
    const text = path.join(folder, 'cart.txt')
    writeFileSync(
      text,
      `[The Cart by A. Baker 1871]\n\n\nCHAPTER I. The Mail\n\n${prose}\n\nCHAPTER II. The Inn\n\n${prose}\n\nCHAPTER III. The Door\n\n${prose}\n`,
    )
    const pages = path.join(folder, 'scanned')
    expect(await booksDone('draw', text, '--folder', pages)).toContain('1 pages in')
    const file = newFile()
    await runDone(file, pages)
    expect(look(file, 'SELECT title, author, released, stage FROM books')).toEqual([
      { title: 'The Cart', author: 'A. Baker', released: '1871', stage: 'polish' },
    ])
    expect(look(file, 'SELECT title, class FROM chapters ORDER BY n')).toEqual(
      ['The Mail', 'The Inn', 'The Door'].map((title) => ({ title, class: 'body' })),
    )
    expect(look(file, 'SELECT text FROM chapters WHERE n = 3')).toEqual([
      { text: prose.replaceAll('\n', ' ') },
    ])
  })

  test('every book of the package is divided into its parts, and each is found in the text', () => {
    const parts: Record<string, number> = {}
    for (const { id, file } of everyBook()) {
      const text = readBook(file)
      const book = worked(text)
      parts[id] = book.entries.length
      expect(
        book.entries.filter(({ start }) => start === null),
        id,
      ).toEqual([])
      let end = 0
      for (const chapter of book.chapters) {
        expect(chapter.start, `${id} ${chapter.title}`).toBeGreaterThanOrEqual(end)
        end = chapter.end
      }
      expect(end, 'nothing is left out at the end').toBe(text.length)
    }
    expect(parts).toMatchObject({
      'austen-emma': 3 + 18 + 18 + 19,
      'austen-persuasion': 24,
      'carroll-alice': 12,
      'milton-paradise': 12,
      'shakespeare-macbeth': 27,
      'burgess-busterbrown': 23,
    })
  })
})

/** Of a run that nobody disturbed, made once. */
function newResult(): (book: string) => Promise<string> {
  const hashes = new Map<string, Promise<string>>()
  return (book) => {
    const hash = hashes.get(book) ?? runDone(newFile(), book).then((result) => result.hash)
    hashes.set(book, hash)
    return hash
  }
}
