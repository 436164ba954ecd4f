/** Log lines as a small shop's services might write them, made up. */
import type { Level, LogRow } from '../src/logs/index.ts'

type Line = readonly [level: Level, service: string, message: string, attributes?: Record<string, unknown>]

const roll = (sides: number): number => Math.floor(Math.random() * sides)
const pick = <T>(choices: readonly [T, ...T[]]): T => choices[roll(choices.length)] ?? choices[0]
const hex = (digits: number): string => Array.from({ length: digits }, () => roll(16).toString(16)).join('')

const usual: readonly [() => Line, ...(() => Line)[]] = [
  () => {
    const ms = 4 + roll(40)
    const path = pick(['/cart', '/products/8841', '/products/207', '/search?q=lamp', '/login'])
    return [
      'info',
      'web',
      `GET ${path} 200 in ${ms} ms`,
      { method: 'GET', path, status: 200, ms, trace: hex(16) },
    ]
  },
  () => [
    'info',
    'checkout',
    `order ${40_000 + roll(9_999)} paid, ${19 + roll(180)}.90 EUR`,
    { currency: 'EUR', trace: hex(16) },
  ],
  () => [
    'debug',
    'search',
    `query cache ${pick(['hit', 'hit', 'miss'])} for "${pick(['lamp', 'oak table', 'blue chair'])}"`,
  ],
  () => ['info', 'auth', `user ${1_000 + roll(8_999)} signed in`, { method: pick(['password', 'passkey']) }],
  () => ['trace', 'web', `render product page in ${2 + roll(9)} ms`],
  () => ['debug', 'worker', `thumbnail ${hex(8)}.webp written, ${12 + roll(60)} kB`],
]

const rare: readonly [() => Line, ...(() => Line)[]] = [
  () => [
    'warn',
    'checkout',
    `payment gateway slow: ${1_200 + roll(1_800)} ms`,
    { gateway: 'acquirer-2', limitMs: 1_000 },
  ],
  () => [
    'warn',
    'worker',
    `retrying mail to order ${40_000 + roll(9_999)}, attempt ${2 + roll(3)} of 5`,
    { queue: 'mail' },
  ],
  () => ['warn', 'web', 'rate limit reached for 203.0.113.7', { limit: 100, windowMs: 60_000 }],
  () => [
    'error',
    'checkout',
    'payment refused: connection to acquirer-2 timed out after 3000 ms',
    {
      order: 40_000 + roll(9_999),
      gateway: { name: 'acquirer-2', host: '198.51.100.12', port: 443 },
      attempts: [
        { ms: 3_000, error: 'ETIMEDOUT' },
        { ms: 3_000, error: 'ETIMEDOUT' },
      ],
      willRetry: true,
      trace: hex(16),
    },
  ],
]

export function believableRow(ts: number): LogRow {
  const [level, service, message, attributes] = roll(14) === 0 ? pick(rare)() : pick(usual)()
  return { ts, level, service, message, attributes: attributes ? JSON.stringify(attributes) : null }
}
