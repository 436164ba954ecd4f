/**
 * Takes the pictures of the dashboard in docs/images: npm run screenshot [-- --minutes 5]
 *
 * A server on a temporary database gets made-up traffic for so long as the charts show, then a browser looks at it.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { sql } from 'kysely'
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core'
import { openLogs, type LogStore } from '../src/logs/index.ts'
import { serve } from '../src/server/index.ts'
import { sqlite } from '../src/stores/sqlite/index.ts'
import { believableRow } from './believable-logs.ts'

const TICK_MS = 50
const EFFECTS_MS = 45_000
const IMAGES = 'docs/images'
const WIDE = { width: 1_440, height: 900 }
const PHONE = { width: 390, height: 844 }

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '1' },
    chromium: { type: 'string', default: process.env['CHROMIUM'] ?? '/usr/bin/chromium' },
  },
})
const minutes = Number(values.minutes)
if (![1, 5, 15].includes(minutes)) throw new Error('--minutes is 1, 5 or 15: what the charts can show.')

const folder = mkdtempSync(path.join(tmpdir(), 'tidemark-screenshot-'))
const logs = await openLogs(sqlite(path.join(folder, 'shop.db')), { writer: 'shop-1' })
const server = await serve({ logs, port: 0, effects: { everyMs: 1_000 } })
const browser = await chromium.launch({
  executablePath: values.chromium,
  args: ['--headless', '--no-sandbox', '--disable-gpu'],
})
try {
  await refuseSome(logs)
  const stop = new AbortController()
  const traffic = writeTraffic(logs, stop.signal)
  console.log(`${minutes * 60 + 5} s of traffic for ${server.url}`)
  await sleep(minutes * 60_000 + 5_000)
  mkdirSync(IMAGES, { recursive: true })
  const view = `minutes=${minutes}`
  await take(browser, 'dashboard', `#/overview?${view}`, { viewport: WIDE, colorScheme: 'dark' })
  await take(browser, 'dashboard-phone', `#/overview?${view}`, {
    viewport: PHONE,
    isMobile: true,
    colorScheme: 'dark',
  })
  await take(
    browser,
    'dashboard-logs',
    '#/logs?q=timed+OR+slow+OR+retrying',
    { viewport: WIDE, colorScheme: 'light' },
    openAnError,
  )
  stop.abort()
  await traffic
  // Last, since what goes wrong with them is told on the overview too.
  await enqueueFor(EFFECTS_MS, logs)
  await take(browser, 'dashboard-effects', '#/effects?kind=embed&minutes=1', {
    viewport: WIDE,
    colorScheme: 'dark',
  })
} finally {
  await browser.close()
  await server.close()
  await logs.close()
  rmSync(folder, { recursive: true })
}

/** Rises and falls as visitors come and go, with a rush now and then. */
async function writeTraffic(store: LogStore, signal: AbortSignal): Promise<void> {
  for (let tick = 0; !signal.aborted; tick++) {
    const seconds = (tick * TICK_MS) / 1_000
    const rush = seconds % 47 > 41 ? 2_600 : 0
    const perSecond = 1_500 + 700 * Math.sin(seconds / 19) + 250 * Math.sin(seconds / 3.1) + rush
    const count = Math.round((perSecond * TICK_MS * (0.85 + Math.random() * 0.3)) / 1_000)
    const now = Date.now()
    // Nobody waits for it, as nobody waits for a log line.
    void store.storeRows(
      Array.from({ length: count }, (_, index) =>
        believableRow(now - Math.round(TICK_MS * (1 - index / count))),
      ),
    )
    await sleep(TICK_MS)
  }
}

async function refuseSome({ tidemark: db }: LogStore): Promise<void> {
  await db.transaction(
    async (trx) =>
      await sql`CREATE TABLE orders (id INTEGER PRIMARY KEY, total INTEGER NOT NULL CHECK (total >= 0))`.execute(
        trx,
      ),
  )
  await db.reloadSchema()
  await Promise.allSettled([1, 2, 3].map((id) => db.insert('orders', { id, total: -id })))
}

/** One kind that is delivered but for what its model refuses, one whose target is down, and one that is paused. */
async function enqueueFor(ms: number, { tidemark: db }: LogStore): Promise<void> {
  await db.effects.handle(
    'embed',
    async (effects) => {
      await sleep(60)
      return effects.map(({ key }) =>
        Number(key) % 397 === 5 ? { kind: 'dead', error: new Error('the text is empty (400)') } : undefined,
      )
    },
    { batch: 8, concurrency: 4 },
  )
  await db.effects.handle('cache', async () => {
    throw Object.assign(new Error('connect ECONNREFUSED'), { status: 503 })
  })
  await db.effects.handle('webhook', async () => undefined)
  await db.effects.pause('webhook')
  let key = 0
  for (const end = Date.now() + ms; Date.now() < end; await sleep(TICK_MS)) {
    const count = Math.round(22 + 20 * Math.sin(Date.now() / 5_000))
    for (let n = 0; n < count; n++) {
      key++
      const all = key % 40 === 0 ? ['embed', 'cache', 'webhook'] : ['embed']
      void db.enqueue(...all.map((kind) => ({ kind, key, payload: { chunk: key } })))
    }
  }
}

async function take(
  open: Browser,
  name: string,
  view: string,
  options: BrowserContextOptions,
  prepare: (page: Page) => Promise<void> = async () => undefined,
): Promise<void> {
  const context = await open.newContext({ deviceScaleFactor: 1, ...options })
  const page = await context.newPage()
  await page.goto(`${server.url}/${view}`)
  await page.locator('.plot canvas, .entry').last().waitFor()
  await prepare(page)
  await sleep(2_000)
  await page.screenshot({ path: `${IMAGES}/${name}.png` })
  console.log(`${IMAGES}/${name}.png`)
  await context.close()
}

async function openAnError(page: Page): Promise<void> {
  await page.locator('.level-error .entry-head').first().click()
}
