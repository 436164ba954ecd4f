/** A real browser on the real page. What the page must never do, whatever the test, is written down and asserted. */
import { chromium as playwright, type Browser, type BrowserContextOptions, type Page } from 'playwright-core'
import { expect, onTestFinished } from 'vitest'
import type { Service } from '../support/servers/installed.ts'

const QUIET = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

export class Chromium implements AsyncDisposable {
  readonly #browser: Browser

  constructor(browser: Browser) {
    this.#browser = browser
  }

  /** Opens the page in a profile of its own, which is gone when the test is over. */
  async visit(url: string, options: BrowserContextOptions = {}): Promise<Visit> {
    const context = await this.#browser.newContext({ viewport: { width: 1280, height: 800 }, ...options })
    onTestFinished(() => context.close())
    const visit = new Visit(await context.newPage(), new URL(url).origin)
    await visit.page.goto(url)
    return visit
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#browser.close()
  }
}

export class Visit {
  readonly page: Page
  readonly #complaints: string[] = []

  constructor(page: Page, origin: string) {
    this.page = page
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) this.#complaints.push(message.text())
    })
    page.on('pageerror', (error) => this.#complaints.push(String(error)))
    page.on('request', (request) => {
      if (new URL(request.url()).origin !== origin) this.#complaints.push(`asked ${request.url()}`)
    })
  }

  /** No error on the console, nothing that the policy stopped, no request to elsewhere. */
  expectNoComplaints(expected: RegExp = /^$/): void {
    expect(this.#complaints.filter((complaint) => !expected.test(complaint))).toEqual([])
  }

  /** Messages of the entries that are shown, from the top. */
  async messages(): Promise<string[]> {
    const texts = await this.page.locator('.entry-head .message').allTextContents()
    return texts.map((text) => text.trim())
  }

  /** The messages shown become these. */
  async expectMessages(expected: readonly string[]): Promise<void> {
    await expect.poll(() => this.messages(), { timeout: 20_000 }).toEqual(expected)
  }

  async expectText(selector: string, expected: string | RegExp): Promise<void> {
    await this.page.locator(selector).filter({ hasText: expected }).first().waitFor({ timeout: 20_000 })
  }

  /** The list is connected: what is stored from now on appears by itself. */
  async isFollowing(): Promise<void> {
    await this.expectText('.tail-state', 'Live')
  }
}

export const chromium: Service<Chromium> = {
  name: 'Chromium',
  programs: ['chromium', 'chromium-browser', 'google-chrome'],
  install: 'apt-get install chromium',
  start: async (program) => new Chromium(await playwright.launch({ executablePath: program, args: QUIET })),
}
