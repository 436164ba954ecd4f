/** WCAG 2.2, 1.4.3 and 1.4.11, computed from the colours of the style sheet. */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'

const sheet = readFileSync(new URL('../../dashboard/theme.css', import.meta.url), 'utf8')
const pairs = [...sheet.matchAll(/--([\w-]+):\s*light-dark\((#\w{6}),\s*(#\w{6})\)/g)]
const themes = {
  light: new Map(pairs.map(([, name = '', light = '']) => [name, light])),
  dark: new Map(pairs.map(([, name = '', , dark = '']) => [name, dark])),
}

const levels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'].map((level) => `level-${level}`)
const texts = ['text', 'muted', 'accent', 'sand', 'bad', ...levels]

/** What stands on what. */
const read: readonly (readonly [string, string])[] = [
  ...texts.flatMap((text) => ['bg', 'surface', 'raised'].map((ground) => [text, ground] as const)),
  ...['text', 'muted', 'sand'].map((text) => [text, 'warn-fill'] as const),
  ['text', 'bad-fill'],
  ['text', 'good-fill'],
  ['accent', 'good-fill'],
  ['accent', 'warn-fill'],
  ['on-accent', 'accent'],
  ['on-mark', 'mark'],
  ['on-fatal', 'level-fatal'],
]
/** Edges of controls, focus rings and lines of charts. */
const seen = ['edge', 'accent', 'sand', 'good', 'bad'].flatMap((name) =>
  ['bg', 'surface'].map((ground) => [name, ground] as const),
)

describe.for(['light', 'dark'] as const)('dashboard · %s', (theme) => {
  test.for(read)('text in %s on %s is read with ease (4.5 : 1)', ([text, ground]) => {
    expect(contrast(colour(theme, text), colour(theme, ground))).toBeGreaterThanOrEqual(4.5)
  })

  test.for(seen)('%s on %s is seen (3 : 1)', ([name, ground]) => {
    expect(contrast(colour(theme, name), colour(theme, ground))).toBeGreaterThanOrEqual(3)
  })
})

function colour(theme: 'light' | 'dark', name: string): string {
  return themes[theme].get(name) ?? expect.fail(`theme.css has no --${name}`)
}

function contrast(one: string, other: string): number {
  const [light = 0, dark = 0] = [luminance(one), luminance(other)].toSorted((a, b) => b - a)
  return (light + 0.05) / (dark + 0.05)
}

function luminance(hex: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(hex.slice(at, at + 2), 16) / 255
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}
