/** The URL by which a server is found. Knows nothing of `pg`: who only names a database needs none. */

export function isAddress(url: unknown): url is string {
  return typeof url === 'string' && /^postgres(?:ql)?:\/\//.test(url) && URL.canParse(url)
}

/** What may be shown: where it is, never with what password. */
export function withoutPassword(url: string): string {
  try {
    const parsed = new URL(url)
    parsed.password = ''
    parsed.search = ''
    return parsed.href
  } catch {
    return 'at an address that is no URL'
  }
}
