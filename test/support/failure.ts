/** What a promise fails with. Taken before the failure happens, so that it is never one that nobody handles. */
export async function failureOf(promise: PromiseLike<unknown>): Promise<unknown> {
  let value: unknown
  try {
    value = await promise
  } catch (error) {
    return error
  }
  throw new Error(`it did not fail, but gave ${String(value)}`)
}
