import { expect, test } from 'vitest'
import { detectFormat } from './detect.ts'

function detect(text: string, name = 'app.log'): { format: string; confidence: number; reason: string } {
  const lines = text.split('\n').map((line, index) => {
    return { text: line, line: index + 1, offset: 0, end: 0, error: undefined }
  })
  return detectFormat(lines, name)
}

test.each([
  ['ndjson', '{"msg":"a"}\n{"msg":"b"}'],
  ['logfmt', 'level=info msg="a b"\nlevel=info msg=c'],
  ['access', '::1 - - [10/Oct/2000:13:55:36 -0700] "GET / HTTP/1.0" 200 2326'],
  ['syslog', 'Oct  9 22:14:15 harbour sshd[1]: hello'],
  ['syslog', '<34>1 - - app - - - hello'],
  ['syslog', '2024-05-01T12:00:00.000000+00:00 harbour sshd[1]: hello'],
  [
    'plain',
    '2024-05-01 12:00:00 status installed less:amd64 590-2\n2024-05-01 12:00:00 startup packages configure',
  ],
  ['plain', '2024-05-01T12:00:00Z user=anna action=login'],
  ['plain', '2024-05-01T12:00:00Z INFO main: starting'],
  ['plain', 'Hello, world\nthis is one line\nand, this, another'],
  ['plain', 'Dear Sir,\nthank you, and goodbye,\nyours, me'],
  ['csv', 'id,name,price\n1,a,2\n2,b,3'],
  ['csv', 'id;name\n1;a\n2;b'],
  ['plain', ''],
])('%s: %j', (format, text) => {
  expect(detect(text).format).toBe(format)
})

test('most lines decide, and it says how many', () => {
  const text = `${'{"msg":"a"}\n'.repeat(9)}oops`
  expect(detect(text)).toEqual({
    format: 'ndjson',
    confidence: 0.9,
    reason: '9 of the first 10 lines are JSON objects',
  })
  expect(detect(`${'{"msg":"a"}\n'.repeat(5)}${'oops\n'.repeat(5)}`).format).toBe('plain')
})

test('only the first hundred lines are looked at', () => {
  expect(detect(`${'{"msg":"a"}\n'.repeat(100)}${'oops\n'.repeat(500)}`).confidence).toBe(1)
})

test('blank and broken lines do not count', () => {
  const lines = ['', '  ', '{"msg":"a"}', '\uFFFD'].map((text, index) => {
    return { text, line: index + 1, offset: 0, end: 0, error: text === '\uFFFD' ? 'not UTF-8' : undefined }
  })
  expect(detectFormat(lines, 'x')).toMatchObject({ format: 'ndjson', confidence: 1 })
})

test('a file called .csv or .tsv is one, packed or not', () => {
  for (const name of ['x.csv', 'x.CSV.gz', 'x.tsv']) {
    expect(detect('only one column\n1', name)).toMatchObject({ format: 'csv', confidence: 1 })
  }
  expect(detect('', 'x.csv').format).toBe('plain')
})

test('an unsure guess is not a sure one', () => {
  expect(detect('nothing\nto see').confidence).toBe(0.5)
  expect(detect('2024-05-01 12:00:00 a\n2024-05-01 12:00:01 b').confidence).toBe(1)
})
