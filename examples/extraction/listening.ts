/** A server on the loopback. */
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'

export async function listening(
  server: Server,
  port: number,
): Promise<{ readonly port: number; readonly close: () => Promise<void> }> {
  const opened = Promise.withResolvers<void>()
  server.once('error', opened.reject)
  server.listen(port, '127.0.0.1', opened.resolve)
  await opened.promise
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      server.closeAllConnections()
      await new Promise((closed) => server.close(closed))
    },
  }
}
