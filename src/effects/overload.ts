export function isOverload(error: unknown): boolean {
  const status = (error as { status?: unknown } | undefined)?.status
  return typeof status === 'number' && (status === 429 || status >= 500)
}
export function retryAfterMs(_error: unknown): number | undefined {
  return undefined
}
