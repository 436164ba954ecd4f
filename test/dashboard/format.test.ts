import { describe, expect, test } from 'vitest'
import {
  formatBytes,
  formatCount,
  formatDay,
  formatExactTime,
  formatMs,
  grouped,
  splitUnit,
} from '../../dashboard/ui/format.ts'

const plain = (text: string): string => text.replace('\u202F', ' ')

describe('dashboard · numbers as a person reads them', () => {
  test.for([
    [0, '0'],
    [999, '999'],
    [9_999, '9,999'],
    [10_000, '10 k'],
    [12_345, '12.3 k'],
    [99_950, '100 k'],
    [999_949, '1 M'],
    [1_234_567, '1.23 M'],
    [48_213_456, '48.2 M'],
    [0.5, '0.5'],
  ] as const)('a count of %d is %s', ([value, text]) => {
    expect(plain(formatCount(value))).toBe(text)
  })

  test.for([
    [0, '0 B'],
    [999, '999 B'],
    [4_096, '4.1 kB'],
    [17_200_000, '17.2 MB'],
    [1_280_000_000, '1.28 GB'],
  ] as const)('%d bytes are %s', ([value, text]) => {
    expect(plain(formatBytes(value))).toBe(text)
  })

  test.for([
    [0, '0 ms'],
    [0.417, '0.42 ms'],
    [38.2, '38.2 ms'],
    [999.9, '1 s'],
    [1_234, '1.23 s'],
    [90_000, '90 s'],
    [600_000, '10 min'],
    [7_200_000, '2 h'],
    [432_000_000, '5 d'],
  ] as const)('%d ms are %s', ([value, text]) => {
    expect(plain(formatMs(value))).toBe(text)
  })

  test('the unit comes apart from its figure', () => {
    expect(splitUnit(formatBytes(1_280_000_000))).toEqual(['1.28', 'GB'])
    expect(splitUnit(formatCount(7))).toEqual(['7', ''])
    expect(grouped(1_234_567)).toBe('1,234,567')
  })

  test('a time tells its milliseconds, a day its year only when it is another', () => {
    const at = new Date(2026, 10, 23, 14, 3, 5, 7).getTime()
    expect(formatExactTime(at)).toBe('14:03:05.007')
    expect(formatDay(at, at)).toBe('23 Nov')
    expect(formatDay(at, new Date(2027, 0, 2).getTime())).toBe('23 Nov 2026')
  })
})
