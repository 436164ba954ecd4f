/** S2: tables of contents as real books have them, small: found, read into entries, and linked to the headings they name. */
import { expect, test } from 'vitest'
import { linkedLines, prose, worked } from './books-worked.ts'

const numbered = ['Down the Hill', 'The Bell', 'What the Baker Knew']

function bodyOf(headings: readonly string[]): string {
  return headings.map((heading) => `${heading}\n\n${prose}\n\n${prose}`).join('\n\n\n')
}

test('a list of numbers and titles under its heading', () => {
  const entries = numbered.map((title, at) => ` CHAPTER ${['I', 'II', 'III'][at]}.   ${title}`)
  const text = `The Cart\n\nby A. Baker\n\nContents\n\n${entries.join('\n')}\n\n\n\n${bodyOf(entries.map((entry) => entry.trim()))}`
  const book = worked(text, 'links')
  expect(book.book).toMatchObject({ title: 'The Cart', author: 'A. Baker', contents_kind: 'listed' })
  expect(book.entries.map(({ number, title, level }) => [number, title, level])).toEqual(
    numbered.map((title, at) => [at + 1, title, 1]),
  )
  expect(linkedLines(text, book)).toEqual(entries.map((entry) => entry.trim()))
  expect(book.entries[0]?.start, 'behind the contents, not in them').toBeGreaterThan(
    book.book.contents_end ?? 0,
  )
})

test('dots and pages, which are no part of a title; headings in capitals, number and title in two lines', () => {
  const entries = numbered.map(
    (title, at) => `${['I', 'II', 'III'][at]}. ${title} . . . . . . . ${at * 14 + 3}`,
  )
  const headings = numbered.map((title, at) => `CHAPTER ${['I', 'II', 'III'][at]}\n\n${title.toUpperCase()}`)
  const text = `TABLE OF CONTENTS\n\nCHAPTER                PAGE\n\n${entries.join('\n')}\n\nILLUSTRATIONS\n\nThe Bell . . . 40\n\n\n${bodyOf(headings)}`
  const book = worked(text, 'chapters')
  expect(book.entries.map(({ title, label }) => [title, label])).toEqual(
    numbered.map((title, at) => [title, `${['I', 'II', 'III'][at]}. ${title}`]),
  )
  expect(linkedLines(text, book)).toEqual(['CHAPTER I', 'CHAPTER II', 'CHAPTER III'])
  const chapter = book.chapters.find(({ title }) => title === 'The Bell')
  expect(text.slice(chapter?.start, chapter?.end).trim(), 'its title is not its text').toBe(
    `${prose}\n\n${prose}`,
  )
})

test('parts whose chapters begin again at one', () => {
  const contents =
    'Book the First--Out\n\n  CHAPTER I    The Mail\n  CHAPTER II   The Inn\n\nBook the Second--Home\n\n  CHAPTER I    The Road\n  CHAPTER II   The Door'
  const body = [
    'Book the First--Out',
    'I. The Mail',
    'II. The Inn',
    'Book the Second--Home',
    'I. The Road',
    'II. The Door',
  ]
  const text = `CONTENTS\n\n${contents}\n\n\n\n\n${bodyOf(body)}`
  const book = worked(text, 'links')
  expect(book.entries.map(({ level, number, title }) => [level, number, title])).toEqual([
    [1, 1, 'Out'],
    [2, 1, 'The Mail'],
    [2, 2, 'The Inn'],
    [1, 2, 'Home'],
    [2, 1, 'The Road'],
    [2, 2, 'The Door'],
  ])
  expect(linkedLines(text, book)).toEqual(body)
})

test('titles in the line under their number, and ones that take two lines', () => {
  const text = `CONTENTS\n\nCHAPTER 1\nLoomings.\n\nCHAPTER 2. Of the Less Erroneous Pictures, and the\nTrue Scenes.\n\nCHAPTER 3. Brit.\n\nEpilogue\n\n\n\n\n${bodyOf(['CHAPTER 1. Loomings.', 'CHAPTER 2. Of the Less Erroneous Pictures, and the\nTrue Scenes.', 'CHAPTER 3. Brit.', 'Epilogue'])}`
  const book = worked(text, 'classification')
  expect(book.entries.map(({ title }) => title)).toEqual([
    'Loomings.',
    'Of the Less Erroneous Pictures, and the True Scenes.',
    'Brit.',
    'Epilogue',
  ])
  expect(linkedLines(text, book)).not.toContain('nowhere')
  expect(book.chapters.at(-1)).toMatchObject({ title: 'Epilogue', class: 'back' })
})

test('numbers alone, a preface before them, and no heading over the contents', () => {
  const text = `[The Cart by A. Baker 1871]\n\nChapter 1\nChapter 2\nChapter 3\n\n\n\n\n${bodyOf(['Chapter 1', 'Chapter 2', 'Chapter 3'])}`
  const book = worked(text, 'links')
  expect(book.book).toMatchObject({
    title: 'The Cart',
    author: 'A. Baker',
    released: '1871',
    contents_kind: 'unlabelled',
  })
  expect(book.entries.map(({ label }) => label)).toEqual(['Chapter 1', 'Chapter 2', 'Chapter 3'])
  expect(book.entries[0]?.start).toBe(text.lastIndexOf('Chapter 1'))
})

test('an entry whose heading is not in the text is linked nowhere, and the others are', () => {
  const text = `CONTENTS\n\nI. The Mail\nII. The Lost Leaf\nIII. The Inn\nIV. The Door\n\n\n\n\n${bodyOf(['I. The Mail', 'III. The Inn', 'IV. The Door'])}`
  const book = worked(text, 'chapters')
  expect(linkedLines(text, book)).toEqual(['I. The Mail', 'nowhere', 'III. The Inn', 'IV. The Door'])
  expect(book.chapters.filter(({ entry }) => entry !== null).map(({ title }) => title)).toEqual([
    'The Mail',
    'The Inn',
    'The Door',
  ])
})

test('"contents" in a sentence, or as the only word of a line of prose, are none', () => {
  const text = `The Cart\n\n${prose}\n\nHe asked for the\ncontents\nof the cart. ${prose}\n\nI. The Mail\n\n${prose}\n\nII. The Inn\n\n${prose}\n\nIII. The Door\n\n${prose}`
  const book = worked(text, 'entries')
  expect(book.book.contents_kind).toBe('headings')
  expect(book.entries.map(({ title }) => title)).toEqual(['The Mail', 'The Inn', 'The Door'])
})
