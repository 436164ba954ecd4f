/** S2: books without contents, whose headings are found in the text, and what their chapters are. */
import { expect, test } from 'vitest'
import { prose, worked } from './books-worked.ts'

const under = (headings: readonly string[], gap = '\n\n\n'): string =>
  headings.map((heading) => `${heading}\n\n${prose}\n\n"I. said nothing," said he.\n\n${prose}`).join(gap)

test('volumes of chapters: the number begins again, and a volume has no text of its own', () => {
  const text = `[Emma by Jane Austen 1816]\n\nVOLUME I\n\n${under(['CHAPTER I', 'CHAPTER II'])}\n\n\nVOLUME II\n\n${under(['CHAPTER I', 'CHAPTER II'])}\n\nFINIS\n`
  const book = worked(text)
  expect(book.entries.map(({ label, level }) => `${level} ${label}`)).toEqual([
    '1 VOLUME I',
    '2 CHAPTER I',
    '2 CHAPTER II',
    '1 VOLUME II',
    '2 CHAPTER I',
    '2 CHAPTER II',
  ])
  expect(book.chapters.map((chapter) => chapter.class)).toEqual([
    'division',
    'body',
    'body',
    'division',
    'body',
    'body',
  ])
})

test('what speakers are called in a play is no chapter, and what they do is no title', () => {
  const scene =
    '  1. When shall we three meet againe?\n\n   2. When the Hurley-burley is done\n\n   3. There to meet\n\n'
  const text = `[The Tragedie of Macbeth by William Shakespeare 1603]\n\n\nActus Primus. Scoena Prima.\n\nThunder.\n\n${scene}\n\nScena Secunda.\n\nEnter King.\n\n${scene}\n\nActus Secundus. Scena Prima.\n\n${scene}`
  expect(worked(text, 'entries').entries.map(({ label, level }) => `${level} ${label}`)).toEqual([
    '1 Actus Primus. Scoena Prima.',
    '2 Scena Secunda.',
    '1 Actus Secundus. Scena Prima.',
  ])
})

test('a line of prose that begins with a number is a chapter only where it counts', () => {
  const text = `A Book\n\n${under(['I', 'II', 'III'])}\n\nM. Defarge came in.\n\nC. said so.\n\n${prose}\n\nIV\n\nTHE LAST OF IT\n\n${prose}`
  const book = worked(text, 'entries')
  expect(book.entries.map(({ number }) => number)).toEqual([1, 2, 3, 4])
  expect(book.entries[3], 'a title in the line below').toMatchObject({ title: 'THE LAST OF IT' })
})

test('titles in capitals that stand apart, and chapters within some of them', () => {
  const text = `[Tales]\n\n\n${under(['THE ORPHANS.', 'LAZY LAWRENCE.', 'THE FALSE KEY.'])}\n\n\nSIMPLE SUSAN.\n\n${under(['CHAPTER I.', 'CHAPTER II.', 'CHAPTER III.'])}`
  expect(worked(text, 'entries').entries.map(({ label, level }) => `${level} ${label}`)).toEqual([
    '1 THE ORPHANS.',
    '1 LAZY LAWRENCE.',
    '1 THE FALSE KEY.',
    '1 SIMPLE SUSAN.',
    '2 CHAPTER I.',
    '2 CHAPTER II.',
    '2 CHAPTER III.',
  ])
})

test('nothing but empty lines around a title', () => {
  const text = `[The King James Bible]\n\n${under(['The First Book of Moses', 'The Book of Ruth', 'Hosea', 'Joel'], '\n\n\n\n\n')}`
  expect(worked(text, 'entries').entries.map(({ title }) => title)).toEqual([
    'The First Book of Moses',
    'The Book of Ruth',
    'Hosea',
    'Joel',
  ])
})

test('a text without any heading is one chapter, and is the book', () => {
  expect(worked(`${prose}\n\n${prose}`).chapters).toMatchObject([{ entry: null, class: 'body' }])
})

test('front and back matter, notes, and the licence behind the end', () => {
  const text = [
    'The Project Gutenberg EBook of The Cart, by A. Baker',
    'Title: The Cart',
    'Author: A. Baker',
    'Release Date: June 1, 1998 [EBook #1]',
    'Language: English',
    '*** START OF THIS PROJECT GUTENBERG EBOOK THE CART ***',
    `${prose}\n\n\nPREFACE\n\n${prose}\n\n\n${under(['CHAPTER I', 'CHAPTER II'])}\n\n\nINTRODUCTION TO THE END\n\n${prose}\n\n\n${under(['CHAPTER III'])}`,
    `EPILOGUE\n\n${prose}\n\n\nNOTES\n\n[1] A bell.`,
    'End of Project Gutenberg’s The Cart'.replace('’', "'"),
    `*** END OF THIS PROJECT GUTENBERG EBOOK THE CART ***\n\n${prose}`,
  ].join('\n\n\n')
  const book = worked(text)
  expect(book.book).toMatchObject({
    title: 'The Cart',
    author: 'A. Baker',
    released: 'June 1, 1998',
    language: 'English',
  })
  expect(book.chapters.map(({ title, class: kind }) => `${kind} ${title}`)).toEqual([
    'front before the first heading',
    'front PREFACE',
    'body CHAPTER I',
    'body CHAPTER II',
    'body INTRODUCTION TO THE END',
    'body CHAPTER III',
    'back EPILOGUE',
    'notes NOTES',
    'licence licence',
  ])
  const places = book.chapters.map(({ start, end }) => [start, end] as const)
  for (const [at, [start, end]] of places.entries()) {
    expect(start).toBeLessThanOrEqual(end)
    if (at > 0) expect(start, 'chapters do not overlap').toBeGreaterThanOrEqual(places[at - 1]?.[1] ?? 0)
  }
})
