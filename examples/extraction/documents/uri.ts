/** How a source may be named. */
const hosts = new Set(['127.0.0.1', 'localhost', '[::1]'])

export const uriRule =
  'a path below the folder of the workers, or a page of this machine (http://127.0.0.1:…)'

/** @returns what is wrong with it */
export function problemOf(uri: string): string | undefined {
  if (uri.includes('\0')) return 'it holds a NUL'
  if (!uri.includes('://')) {
    const parts = uri.split('/')
    if (uri.startsWith('/') || uri.includes('\\')) return `"${uri}" is no path below the folder`
    return parts.some((part) => part === '..' || part === '' || part === '.')
      ? `"${uri}" is no plain path below the folder`
      : undefined
  }
  const url = URL.canParse(uri) ? new URL(uri) : undefined
  if (url?.protocol !== 'http:') return `"${uri}" is no http: address`
  if (!hosts.has(url.hostname)) return `"${uri}" is not a page of this machine`
  return url.username === '' && url.password === '' ? undefined : `"${uri}" names a user`
}
