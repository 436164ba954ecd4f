/** S2: what polish makes of a file's lines, and recognition of a page's. */
import { expect, test } from 'vitest'
import { textOfLines } from '../../examples/books/ocr/layout.ts'
import { polishText } from '../../examples/books/stages/polish.ts'

test.for([
  {
    what: 'lines of a paragraph are one line, and paragraphs stay apart',
    raw: 'The baker had already swept the step before his own door\nwhen the first of the carts came down.\n\n\nNobody  said\ta word about it, and nobody asked the reason why\nthey came.',
    clean:
      'The baker had already swept the step before his own door when the first of the carts came down.\n\nNobody said a word about it, and nobody asked the reason why they came.',
  },
  {
    what: 'a word broken at the end of a line is joined when it is whole elsewhere, and else keeps its hyphen',
    raw: 'There was an example of it, and now comes another exam-\nple of what the old man of the mountain called his pine-\ntree in the long years of his life upon the mountain.',
    clean:
      'There was an example of it, and now comes another example of what the old man of the mountain called his pine-tree in the long years of his life upon the mountain.',
  },
  {
    what: 'two hyphens are a dash, with no space where a line ends in one',
    raw: 'Sorrow came to them--a gentle sorrow of the winter evening--\nbut not at all in the shape of any disagreeable thing.',
    clean:
      'Sorrow came to them—a gentle sorrow of the winter evening—but not at all in the shape of any disagreeable thing.',
  },
  {
    what: 'underscores are italics, over the end of a line too, and not inside of a word',
    raw: 'Suddenly, she heard a little _tap, tap,\ntap_, at the door, and the file was named snake_case_here in it.',
    clean:
      'Suddenly, she heard a little *tap, tap, tap*, at the door, and the file was named snake_case_here in it.',
  },
  {
    what: 'marks of pages and pictures go, footnotes stay',
    raw: 'He came to the gate.[Page 12] It was shut.[3] {13}\n\n[Illustration: The gate]\n\n14\n\n* * * * *\n\n- 15 -\n\nHe waited.',
    clean: 'He came to the gate. It was shut.[3]\n\nHe waited.',
  },
  {
    what: 'verse keeps its lines',
    raw: ' Piping down the valleys wild,\n   Piping songs of pleasant glee,\n On a cloud I saw a child,\n   And he laughing said to me:',
    clean:
      ' Piping down the valleys wild,\n   Piping songs of pleasant glee,\n On a cloud I saw a child,\n   And he laughing said to me:',
  },
  { what: 'nothing is nothing', raw: '\n\n \n', clean: '' },
])('$what', ({ raw, clean }) => {
  expect(polishText(raw)).toBe(clean)
  expect(polishText(clean), 'done again it changes nothing').toBe(clean)
})

test('lines of a page, in whatever order they were found, are parted where they stand apart', () => {
  const lines = [
    { text: 'So she was “considering”', baseline: 340 },
    { text: 'CHAPTER I', baseline: 132 },
    { text: 'Alice was beginning', baseline: 211 },
    { text: 'to get very tired\n', baseline: 236 },
    { text: 'of sitting there.', baseline: 262 },
    { text: "in her own mind, 'as well", baseline: 367 },
    { text: 'as she could.’', baseline: 392 },
  ]
  expect(textOfLines(lines)).toBe(
    'CHAPTER I\n\n\nAlice was beginning\nto get very tired\nof sitting there.\n\n\nSo she was "considering"\nin her own mind, \'as well\nas she could.\'',
  )
  expect(textOfLines([]), 'an empty page').toBe('')
  expect(textOfLines([{ text: 'FINIS', baseline: 90 }])).toBe('FINIS')
})
