/** A process stops with its transaction open, and another one opens its writer name. */
import { expect, test } from 'vitest'
import { open } from '../../src/index.ts'
import { postgres } from '../../src/stores/postgres/index.ts'
import type { AnyTidemark } from '../../src/testing/stage.ts'
import { Child } from '../support/child.ts'
import { withServer } from '../support/servers/installed.ts'
import { debianPostgres, embeddedPostgres, type PostgresServer } from '../support/servers/postgres.ts'
import { isFence } from './postgres-workload.ts'
import { WireProxy, type Message, type Wire } from '../support/servers/wire-proxy.ts'

const isInsert = ({ sql }: Message): boolean => sql?.startsWith('INSERT INTO "rows"') === true

function fencing(server: PostgresServer): void {
  test.for([
    { when: 'before its transaction', isThere: isFence, characters: 1 },
    // Its row is free when the server has ended it. What is small the system has sent whole.
    { when: 'in the middle of its transaction', isThere: isInsert, characters: 1_000 },
  ])(
    'law 3 · a process that is paused $when lets another one have its name, and wakes up fenced',
    async ({ isThere, characters }) => {
      const url = await server.createDatabase()
      await server.query('CREATE TABLE rows (n integer NOT NULL, writer text NOT NULL, text text)', url)
      await using proxy = await WireProxy.to(server.port)
      const owner = new Child(new URL('postgres-owner-process.ts', import.meta.url), [
        proxy.url(url),
        'w',
        500,
        characters,
      ])
      await owner.said('writing')
      const held = Promise.withResolvers<Wire>()
      let isHeld = false
      proxy.rule = (message, wire) => {
        if (isHeld || !isThere(message)) return 'forward'
        isHeld = true
        held.resolve(wire)
        return 'hold'
      }
      const wire = await held.promise
      owner.pause()

      await using newer: AnyTidemark = await open(postgres(url), { writer: 'w' })
      const receipts = Array.from({ length: 50 }, (_, index) =>
        newer.insert('rows', { n: index + 1, writer: 'newer' }),
      )
      await Promise.all(receipts)
      const rowsOf = async (writer: string) =>
        (await server.query(`SELECT n FROM rows WHERE writer = '${writer}'`, url)).map(({ n }) => n)
      const before = await rowsOf('owner')
      wire.requests.open()
      owner.resume()

      const [code, committed, unsettled] = (await owner.said('stopped')).split(' ')
      expect(await owner.ended, owner.stderr).toEqual({ code: 0, signal: null })
      expect({ code, unsettled }).toEqual({ code: 'FENCED', unsettled: '0' })
      expect(await rowsOf('owner')).toEqual(before)
      expect(before).toEqual(Array.from({ length: Number(committed) }, (_, index) => index + 1))
      expect(await rowsOf('newer')).toHaveLength(50)
    },
  )
}

await withServer(embeddedPostgres, fencing)
await withServer(debianPostgres, fencing)
