import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { columnNames, inferTypes, rowOf } from './csv-columns.ts'
import { planCsv } from './csv-plan.ts'
import { CsvRecords, readFields } from './csv-records.ts'
import type { CsvLine } from './csv-records.ts'

function linesOf(text: string): CsvLine[] {
  let offset = 0
  return text.split('\n').map((line, index) => {
    const start = offset
    offset += line.length + 1
    return { text: line, line: index + 1, offset: start, end: offset, error: undefined }
  })
}

function read(text: string, maxRecordBytes = 1_000): { line: number; fields: string[] | string }[] {
  const records = new CsvRecords(',', maxRecordBytes, { offset: 0, line: 0 })
  for (const line of linesOf(text)) records.add(line)
  records.finish()
  const found = records.take()
  const fields = readFields(found, ',')
  return found.map((record, index) => ({ line: record.line, fields: fields[index] ?? 'missing' }))
}

function fieldsOf(text: string): (string[] | string)[] {
  return read(text).map((record) => record.fields)
}

describe('records', () => {
  test.each([
    ['a,b', [['a', 'b']]],
    ['a,', [['a', '']]],
    ['"a,b",c', [['a,b', 'c']]],
    ['"a\nb",c', [['a\nb', 'c']]],
    ['"a\n\nb"\nc', [['a\n\nb'], ['c']]],
    ['"say ""hi""",x', [['say "hi"', 'x']]],
    ['"",""', [['', '']]],
    ['a\n\nb', [['a'], ['b']]],
    ['"a","\n""",b', [['a', '\n"', 'b']]],
  ])('%j', (text, expected) => {
    expect(fieldsOf(text)).toEqual(expected)
  })

  test('any fields, quoted, come back', () => {
    const field = fc.string({ unit: fc.constantFrom('a', '"', ',', '\n', ' ', 'ü') })
    const rows = fc.array(fc.array(field, { minLength: 2, maxLength: 4 }), { maxLength: 5 })
    fc.assert(
      fc.property(rows, (table) => {
        const text = table
          .map((row) => row.map((value) => `"${value.replaceAll('"', '""')}"`).join(','))
          .join('\n')
        expect(fieldsOf(text)).toEqual(table)
      }),
    )
  })

  test('what is bad costs its own line', () => {
    expect(fieldsOf('a,b\n5" disk,c\nd,e')).toEqual([
      ['a', 'b'],
      'a quote inside an unquoted field at column 1',
      ['d', 'e'],
    ])
    expect(fieldsOf('a,b\n"x"y,c\nd,e')).toEqual([
      ['a', 'b'],
      'text behind the closing quote at column 3',
      ['d', 'e'],
    ])
  })

  test('a quote that closes badly on a later line costs the line that opened it', () => {
    const found = read('"open,1\n2,3\nx"y,4\n5,6')
    expect(found).toEqual([
      {
        line: 1,
        fields: 'a quote opened here ends badly on line 3: text behind the closing quote at column 2',
      },
      { line: 2, fields: ['2', '3'] },
      { line: 3, fields: 'a quote inside an unquoted field at column 1' },
      { line: 4, fields: ['5', '6'] },
    ])
  })

  test('a quote that is never closed costs its own line, within the limit and at the end', () => {
    const rest = Array.from({ length: 100 }, (_, index) => [`${index}`, 'x'])
    const text = `"open\n${rest.map((row) => row.join(',')).join('\n')}`
    for (const limit of [50, 1_000_000]) {
      const found = read(text, limit)
      expect(found[0]?.fields).toMatch(/^a quote opened here is (never closed|not closed within 50 bytes)$/)
      expect(found.slice(1).map((record) => record.fields)).toEqual(rest)
    }
  })

  test('a bad line within a quoted field makes the record bad, and the rest is read', () => {
    const records = new CsvRecords(',', 1_000, { offset: 0, line: 0 })
    const [first, second, third] = linesOf('"a\nb",1\nc,2')
    if (first === undefined || second === undefined || third === undefined) throw new Error('three lines')
    for (const line of [first, { ...second, error: 'not UTF-8' }, third]) records.add(line)
    expect(readFields(records.take(), ',')).toEqual([
      'line 2 of this record is bad: not UTF-8',
      'not UTF-8',
      ['c', '2'],
    ])
  })

  test('the position is behind the last whole record', () => {
    const records = new CsvRecords(',', 1_000, { offset: 0, line: 0 })
    const lines = linesOf('a,b\n\n"c\nd')
    for (const line of lines) records.add(line)
    expect(records.position).toEqual({ offset: 5, line: 2 })
    expect(records.open?.line).toBe(3)
  })
})

describe('columns', () => {
  test.each([
    [['1', '-2', '0', ''], 'INTEGER'],
    [['9007199254740993'], 'INTEGER'],
    [['1', '2.5'], 'REAL'],
    [['1e5', '-0.25'], 'REAL'],
    [['9223372036854775808'], 'TEXT'],
    [['007'], 'TEXT'],
    [['+49'], 'TEXT'],
    [['1', 'x', '2'], 'TEXT'],
    [['NaN'], 'TEXT'],
    [['1e999'], 'TEXT'],
    [['', ''], 'TEXT'],
    [['-0'], 'REAL'],
  ])('%j is %s', (values, expected) => {
    expect(
      inferTypes(
        1,
        values.map((value) => [value]),
      ),
    ).toEqual([expected])
  })

  test('rows of another width say nothing about types', () => {
    expect(inferTypes(2, [['1', '2'], ['x']])).toEqual(['INTEGER', 'INTEGER'])
  })

  const columns = [
    { name: 'n', type: 'INTEGER' },
    { name: 'r', type: 'REAL' },
    { name: 't', type: 'TEXT' },
  ] as const

  test.each([
    [['1', '2.5', 'x'], { n: 1, r: 2.5, t: 'x' }],
    [['', '', ''], { n: null, r: null, t: '' }],
    [['9007199254740993', '1', ''], { n: 9_007_199_254_740_993n, r: 1, t: '' }],
    [['-9223372036854775808', '1', ''], { n: -(2n ** 63n), r: 1, t: '' }],
    [['1.5', '1', ''], 'n is INTEGER, and this is not: "1.5"'],
    [['9223372036854775808', '1', ''], 'n is INTEGER, and this is not: "9223372036854775808"'],
    [['1', 'NaN', ''], 'r is REAL, and this is not: "NaN"'],
    [['1', '9007199254740993', ''], 'r is REAL, and this is not: "9007199254740993"'],
    [['1', '2'], '2 fields where the header has 3'],
    [['1', '2', '3', '4'], '4 fields where the header has 3'],
  ])('%j', (fields, expected) => {
    expect(rowOf(fields, columns)).toEqual(expected)
  })

  test('a column called __proto__ holds its value', () => {
    const row = rowOf(['x'], [{ name: '__proto__', type: 'TEXT' }])
    expect(Object.entries(row)).toEqual([['__proto__', 'x']])
  })

  test('names are trimmed, filled in and made different', () => {
    expect(columnNames([' id ', '', 'Name', 'name', 'name'], 'f')).toEqual([
      'id',
      'column_2',
      'Name',
      'name_2',
      'name_3',
    ])
    expect(columnNames(['name', 'Name'], 'f')).toEqual(['name', 'Name_2'])
    expect(() => columnNames(['', ' '], 'f')).toThrow(/no header row/)
  })
})

describe('the plan', () => {
  test.each([
    ['a,b\n1,2', 'x.csv', ',', ['a', 'b']],
    ['a;b;c\n1,5;2;3', 'x.csv', ';', ['a', 'b', 'c']],
    ['a\tb\n1\t2', 'x.csv', '\t', ['a', 'b']],
    ['a,b,c\td\n', 'x.tsv', '\t', ['a,b,c', 'd']],
    ['a|b\n', 'x', '|', ['a', 'b']],
    ['"a;b;c",d\n', 'x', ',', ['a;b;c', 'd']],
    ['single\n1', 'x', ',', ['single']],
  ])('%j', (text, name, delimiter, header) => {
    expect(planCsv(linesOf(text), name, 1_000)).toMatchObject({ delimiter, header })
  })

  test('there is none without a line', () => {
    expect(planCsv([], 'x.csv', 1_000)).toBeUndefined()
  })
})
