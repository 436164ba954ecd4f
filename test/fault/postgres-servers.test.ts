/** What later tests take for granted of the servers that they start. */
import { expect, test } from 'vitest'
import { withServer } from '../support/servers/installed.ts'
import { embeddedPostgres } from '../support/servers/postgres.ts'
import { Standby } from '../support/servers/standby.ts'

await withServer(embeddedPostgres, (server) => {
  test('a server that was killed keeps what was committed; one that is paused answers when it goes on', async () => {
    await server.query('CREATE TABLE kept (n int)')
    await server.query('INSERT INTO kept VALUES (1)')
    await server.kill()
    await expect(server.query('SELECT 1')).rejects.toThrow()
    await server.restart()
    server.pause()
    let hasAnswered = false
    const answer = server.query('SELECT n FROM kept').finally(() => (hasAnswered = true))
    await new Promise((resume) => void setTimeout(resume, 50))
    expect(hasAnswered).toBe(false)
    server.resume()
    expect(await answer).toEqual([{ n: 1 }])
  })

  test('a standby shows what its primary commits, unless it is held back; promoted, it takes writes', async () => {
    await using standby = await Standby.of(server, { name: 'one' })
    await server.query('CREATE TABLE followed (n int)')
    await standby.whenCaughtUp()
    expect(await standby.query('SELECT n FROM followed')).toEqual([])
    await standby.pauseReplay()
    await server.query('INSERT INTO followed VALUES (1)')
    expect(await standby.query('SELECT n FROM followed')).toEqual([])
    await standby.resumeReplay()
    await standby.whenCaughtUp()
    expect(await standby.query('SELECT n FROM followed')).toEqual([{ n: 1 }])
    await standby.stopReceiving()
    await server.query('INSERT INTO followed VALUES (2)')
    await standby.promote()
    await standby.query('INSERT INTO followed VALUES (3)')
    expect(await standby.query('SELECT n FROM followed ORDER BY n')).toEqual([{ n: 1 }, { n: 3 }])
  })
})
