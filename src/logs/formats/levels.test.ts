import { describe, expect, test } from 'vitest'
import { findLevel } from './level-words.ts'
import { levelOf } from './levels.ts'

test.each([
  ['INFO', 'info', true],
  ['Warning', 'warn', true],
  ['ERR', 'error', true],
  ['information', 'info', true],
  ['notice', 'info', false],
  ['CRITICAL', 'fatal', false],
  ['verbose', 'debug', false],
  ['ERROR+4', 'error', false],
  ['whatever', 'info', false],
  ['constructor', 'info', false],
  ['', 'info', false],
  [10, 'trace', true],
  [20, 'debug', true],
  [30, 'info', true],
  [35, 'info', false],
  [40, 'warn', true],
  [50, 'error', true],
  [60, 'fatal', true],
  [99, 'fatal', false],
  [3, 'error', true],
  [5, 'info', false],
  ['6', 'info', true],
  [0, 'fatal', false],
  [8, 'info', false],
  [-1, 'info', false],
  [Number.NaN, 'info', false],
])('%j is %s', (original, level, isExact) => {
  expect(levelOf(original)).toEqual({ level, isExact })
  // Twice: the second answer comes from memory.
  expect(levelOf(original)).toEqual({ level, isExact })
})

describe('levels in the words of a line', () => {
  test.each([
    ['[error] disk full', 'error', 'disk full'],
    ['[INF] Starting', 'info', 'Starting'],
    ['<warn>  [123] dhcp', 'warn', '[123] dhcp'],
    ['ERROR disk full', 'error', 'disk full'],
    ['WARNING: low', 'warn', 'low'],
    ['INFO - ready', 'info', 'ready'],
    ['ERROR', 'error', ''],
    ['error: disk full', 'error', 'error: disk full'],
    ['git: fatal: not a repository', 'fatal', 'git: fatal: not a repository'],
    ['my.mod - WARNING - low', 'warn', 'my.mod - WARNING - low'],
    ['[core:error] [pid 3] denied', 'error', '[core:error] [pid 3] denied'],
    ['[2185] LOG:  ready', 'info', '[2185] LOG:  ready'],
  ])('%s', (text, level, message) => {
    const found = findLevel(text)
    expect(found?.level).toBe(level)
    expect(text.slice(found?.messageAt)).toBe(message)
  })

  test.each([
    'Error opening the file',
    'the fatal flaw',
    'INFORMATION desk',
    'status installed libgpg-error0:amd64',
    'set ON-ERROR-STOP',
    `${'x'.repeat(100)} ERROR`,
    '',
  ])('%j says none', (text) => {
    expect(findLevel(text)).toBeUndefined()
  })
})
