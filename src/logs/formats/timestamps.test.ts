import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { findStyledTime, timeOfNumber, timeOfText } from './time-styles.ts'
import { scanEnd, scanIso } from './timestamps.ts'

const NOON = Date.UTC(2024, 4, 1, 12, 0, 0)

describe('ISO times', () => {
  test.each([
    ['2024-05-01T12:00:00Z', NOON],
    ['2024-05-01T12:00:00.123Z', NOON + 123],
    ['2024-05-01T12:00:00.123456789Z', NOON + 123],
    ['2024-05-01T12:00:00.5', NOON + 500],
    ['2024-05-01 12:00:00,123', NOON + 123],
    ['2024/05/01 12:00:00', NOON],
    ['2024-05-01 12:00', NOON],
    ['2024-05-01T14:00:00+02:00', NOON],
    ['2024-05-01T14:00:00+0200', NOON],
    ['2024-05-01 14:00:00+02', NOON],
    ['2024-05-01 07:00:00 -0500', NOON],
    ['2024-05-01 12:00:00.000 UTC', NOON],
    ['2024-05-01 12:00:00 GMT', NOON],
    ['2024-05-01  9:00:00', NOON - 3 * 3_600_000],
    ['2024-05-01', Date.UTC(2024, 4, 1)],
    ['2024-02-29T00:00:00Z', Date.UTC(2024, 1, 29)],
    ['2016-12-31T23:59:60Z', Date.UTC(2017, 0, 1)],
    ['0099-05-01T00:00:00Z', Date.parse('0099-05-01T00:00:00Z')],
  ])('%s', (text, expected) => {
    expect(scanIso(text, 0)).toBe(expected)
    expect(scanEnd).toBe(text.length)
  })

  test.each([
    '2023-02-29T00:00:00Z',
    '2024-13-01T00:00:00Z',
    '2024-00-01',
    '2024-04-31',
    '2024-05-01T24:00:00Z',
    '2024-05-01T12:60:00Z',
    '2024-05-01T12:00:61Z',
    '2024-05/01',
    '24-05-01T12:00:00Z',
    'x024-05-01',
    '',
  ])('%j is none', (text) => {
    expect(scanIso(text, 0)).toBeNaN()
  })

  test('a dash, a number or a word behind the time is not a zone', () => {
    for (const rest of [' - done', ' -12 degrees', ' foo', ', foo', ' UT']) {
      expect(scanIso(`2024-05-01 12:00:00${rest}`, 0)).toBe(NOON)
      expect(scanEnd).toBe(19)
    }
  })

  test('any time that Date can print is read as Date reads it, at any place', () => {
    const times = fc.integer({ min: Date.UTC(0, 0, 1), max: Date.UTC(9999, 11, 31) })
    fc.assert(
      fc.property(times, fc.string({ maxLength: 5 }), (ts, before) => {
        const text = new Date(ts).toISOString()
        expect(scanIso(before + text, before.length)).toBe(ts)
        expect(scanEnd).toBe(before.length + text.length)
      }),
    )
  })

  test('any offset is read as Date reads it', () => {
    const offset = fc.tuple(
      fc.constantFrom('+', '-'),
      fc.integer({ min: 0, max: 14 }),
      fc.integer({ min: 0, max: 59 }),
    )
    fc.assert(
      fc.property(offset, ([sign, hours, minutes]) => {
        const text = `2024-05-01T12:00:00${sign}${String(hours).padStart(2, '0')}:${String(minutes).padStart(2, '0')}`
        expect(scanIso(text, 0)).toBe(Date.parse(text))
      }),
    )
  })
})

describe('other styles', () => {
  test.each([
    ['10/Oct/2000:13:55:36 -0700', Date.UTC(2000, 9, 10, 20, 55, 36)],
    ['Wed, 11 Oct 2000 14:32:52 GMT', Date.UTC(2000, 9, 11, 14, 32, 52)],
    ['11 Oct 2000 14:32:52.289', Date.UTC(2000, 9, 11, 14, 32, 52, 289)],
    ['Wed Oct 11 14:32:52.123456 2000', Date.UTC(2000, 9, 11, 14, 32, 52, 123)],
    ['Wed Oct  1 14:32:52 UTC 2000', Date.UTC(2000, 9, 1, 14, 32, 52)],
    ['20240501T120000Z', NOON],
    ['20240501 12:00:00', NOON],
  ])('%s', (text, expected) => {
    expect(findStyledTime(text, 0)).toEqual({ ts: expected, end: text.length })
    expect(timeOfText(text)).toBe(expected)
  })

  test.each(['10/Okt/2000:13:55:36', '32 Oct 2000 14:32:52', 'Wed Oct 11 25:32:52 2000', 'yesterday', ''])(
    '%j is none',
    (text) => {
      expect(timeOfText(text)).toBeNaN()
    },
  )

  test('a text with more than a time in it is not a time', () => {
    expect(timeOfText('2024-05-01T12:00:00Z and more')).toBeNaN()
    expect(timeOfText('11 Oct 2000 14:32:52 and more')).toBeNaN()
  })
})

describe('numbers', () => {
  test.each([
    [1_714_564_800, NOON],
    [1_714_564_800.123, NOON + 123],
    [1_714_564_800_123, NOON + 123],
    [1_714_564_800_123_456, NOON + 123],
    [1_714_564_800_123_456_768, NOON + 123],
    [0, 0],
  ])('%d is told by its size', (number, expected) => {
    expect(timeOfNumber(number)).toBe(expected)
  })

  test.each([-1, Number.NaN, Number.POSITIVE_INFINITY, 1e20])('%d is no time', (number) => {
    expect(timeOfNumber(number)).toBeNaN()
  })

  test('seconds with milliseconds lose none to rounding', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4_000_000_000_000 }), (ms) => {
        expect(timeOfText((ms / 1_000).toFixed(3))).toBe(ms)
      }),
    )
  })
})
