/** What the server gives a browser, asked for without one. */
import { gunzipSync } from 'node:zlib'
import fastify from 'fastify'
import { expect, test } from 'vitest'
import { loadDashboard } from '../../src/server/dashboard.ts'
import { registerDashboard } from '../../src/server/routes/dashboard.ts'

const assets = loadDashboard()
const app = fastify()
registerDashboard(app)

function bodyOf(address: string): string {
  return assets.get(address)?.body.toString() ?? expect.fail(`${address} is not served`)
}

test('dashboard · everything that the page and its modules ask for is there, and nothing is elsewhere', () => {
  const asked = new Set(['/'])
  for (const address of asked) {
    const text = bodyOf(address)
    const linked = [...text.matchAll(/(?:href|src)="([^"#$]+)"/g)].map(([, link = '']) => link)
    const isModule = assets.get(address)?.type.startsWith('text/javascript')
    const imported = isModule
      ? [...text.matchAll(/\b(?:from|import)\s*["']([\w@./-]+)["']/g)].map(([, from = '']) => from)
      : []
    const wanted = address === '/' ? linked : imported
    for (const link of wanted)
      asked.add(new URL(link, `http://here${address}`).href.replace('http://here', ''))
  }
  expect([...asked].toSorted()).toEqual([...assets.keys()].toSorted())
})

test('dashboard · the page holds nothing that its own policy would stop', async () => {
  const html = bodyOf('/')
  expect(html).not.toMatch(/<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=/)
  const { headers } = await app.inject('/')
  expect(headers['content-security-policy']).toContain(
    "default-src 'none'; script-src 'self'; style-src 'self'",
  )
  expect(headers['content-security-policy']).not.toContain('unsafe')
})

test('dashboard · a browser that has a file already gets it only when it changed', async () => {
  const first = await app.inject('/assets/style.css')
  expect(first.headers).toMatchObject({
    'cache-control': 'no-cache',
    'content-type': 'text/css; charset=utf-8',
  })
  const etag = String(first.headers.etag)
  const again = await app.inject({
    url: '/assets/style.css',
    headers: { 'if-none-match': `"other", W/${etag}` },
  })
  expect([again.statusCode, again.body]).toEqual([304, ''])
  const changed = await app.inject({ url: '/assets/style.css', headers: { 'if-none-match': '"other"' } })
  expect(changed.statusCode).toBe(200)
})

test('dashboard · files are compressed for who takes it, and only then', async () => {
  const get = (encoding: string) =>
    app.inject({ url: '/assets/vendor/uplot.js', headers: { 'accept-encoding': encoding } })
  const compressed = await get('br, gzip')
  expect(compressed.headers['content-encoding']).toBe('gzip')
  expect(gunzipSync(compressed.rawPayload).toString()).toBe(bodyOf('/assets/vendor/uplot.js'))
  for (const encoding of ['identity', 'gzip;q=0', 'br']) {
    const { headers, body } = await get(encoding)
    expect(headers['content-encoding']).toBeUndefined()
    expect(body).toBe(bodyOf('/assets/vendor/uplot.js'))
  }
})

test('dashboard · no path leads to a file that is not part of it', async () => {
  const paths = [
    '/assets/tsconfig.json',
    '/assets/../package.json',
    '/assets/%2e%2e/package.json',
    '/assets/..%2fpackage.json',
    '/assets/vendor/../../package.json',
    '/assets/',
    '/package.json',
  ]
  for (const path of paths) expect([path, (await app.inject(path)).statusCode]).toEqual([path, 404])
})
