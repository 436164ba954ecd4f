/**
 * The dashboard's files, read once: from its sources in a checkout, from what was built of them in the package.
 *
 * Keeps: no path of a request ever touches the disk, since only what is in this map is served; and the page needs
 * no inline script, since bare imports are rewritten here to the addresses of the installed packages.
 */
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'

export interface Asset {
  readonly type: string
  readonly body: Buffer
  readonly gzip: Buffer
  readonly etag: string
}

/** The packages the page imports, by the name it imports them. */
const MODULES: Readonly<Record<string, { address: string; file: string }>> = {
  preact: { address: '/assets/vendor/preact.js', file: 'preact' },
  'preact/hooks': { address: '/assets/vendor/preact-hooks.js', file: 'preact/hooks' },
  htm: { address: '/assets/vendor/htm.js', file: 'htm' },
  uplot: { address: '/assets/vendor/uplot.js', file: 'uplot/dist/uPlot.esm.js' },
}
const CHART_STYLES = { address: '/assets/vendor/uplot.css', file: 'uplot/dist/uPlot.min.css' }

const TYPES: Readonly<Record<string, string>> = {
  '.ts': 'text/javascript; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
}

/** The ending of the page's own modules is that of this one: the sources run as they are, or all were compiled. */
const ENDING = path.extname(import.meta.url)

/** Every file of the dashboard by its address, the page itself at `/`. */
export function loadDashboard(): ReadonlyMap<string, Asset> {
  const folder = findFolder()
  const assets = new Map<string, Asset>()
  for (const { address, file } of Object.values(MODULES)) {
    assets.set(address, asset('.js', withAddresses(readPackage(file))))
  }
  assets.set(CHART_STYLES.address, asset('.css', readPackage(CHART_STYLES.file)))
  for (const name of ownFiles(folder)) {
    const text = readFileSync(path.join(folder, name), 'utf8')
    const extension = path.extname(name)
    const isModule = extension === ENDING
    assets.set(`/assets/${name}`, asset(extension, isModule ? withAddresses(asJavaScript(text)) : text))
  }
  assets.set('/', page(readFileSync(path.join(folder, 'index.html'), 'utf8'), [...assets.keys()]))
  return assets
}

function findFolder(): string {
  const beside = ENDING === '.ts' ? '../../dashboard/' : '../dashboard/'
  const folder = fileURLToPath(new URL(beside, import.meta.url))
  if (existsSync(folder)) return folder
  throw new Error(
    `tidemark: the dashboard is missing at ${folder}: install the package again, or \`npm run build\`.`,
  )
}

function ownFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => name.replaceAll('\\', '/'))
    .filter((name) => [ENDING, '.css', '.svg'].includes(path.extname(name)))
    .toSorted()
}

function readPackage(file: string): string {
  return readFileSync(fileURLToPath(import.meta.resolve(file)), 'utf8')
}

/** A browser finds modules by address only. Maps of sources that are not served would be asked for in vain. */
function withAddresses(code: string): string {
  const names = Object.keys(MODULES).join('|')
  return code
    .replaceAll(new RegExp(`\\b(from|import)(\\s*)(['"])(${names})\\3`, 'g'), (_, word, space, quote, name) =>
      [word, space, quote, MODULES[name]?.address, quote].join(''),
    )
    .replaceAll(/^\/\/# sourceMappingURL=.*$/gm, '')
}

function asJavaScript(source: string): string {
  if (ENDING !== '.ts') return source
  // Node calls it experimental on the first use. Who opens a page in a checkout has no use for that line.
  // oxlint-disable-next-line typescript/unbound-method -- it is put back as it was
  const { emitWarning } = process
  process.emitWarning = () => undefined
  try {
    return stripTypeScriptTypes(source)
  } finally {
    process.emitWarning = emitWarning
  }
}

/** The page names all its modules, so that the browser asks for them at once and not one import after the other. */
function page(html: string, addresses: readonly string[]): Asset {
  const isModule = (address: string): boolean => ['.js', ENDING].includes(path.extname(address))
  const preloads = addresses
    .filter(isModule)
    .map((address) => `<link rel="modulepreload" href="${address}" />`)
    .join('\n    ')
  return asset('.html', html.replace('<!-- modules -->', preloads).replace('main.ts', `main${ENDING}`))
}

function asset(extension: string, text: string): Asset {
  const body = Buffer.from(text)
  const digest = createHash('sha256').update(body).digest('base64url').slice(0, 22)
  return {
    type: TYPES[extension] ?? 'text/html; charset=utf-8',
    body,
    gzip: gzipSync(body, { level: 9 }),
    etag: `"${digest}"`,
  }
}
