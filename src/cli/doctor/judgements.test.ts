/** What the doctor makes of machines that a test cannot have. */
import { expect, test } from 'vitest'
import { judgeSpace } from './database-file.ts'
import { judgeFileSystem } from './file-system.ts'
import { libraryOf } from './holders.ts'
import { nodeVersion, sqliteVersion } from './versions.ts'

test.each([
  ['24.21.0', 'ok'],
  ['22.22.0', 'ok'],
  ['22.21.9', 'FAIL'],
  ['20.19.0', 'FAIL'],
])('Node %s: %s', (version, status) => {
  expect(nodeVersion(version)).toMatchObject({
    status,
    advice: status === 'ok' ? undefined : expect.any(String),
  })
})

test.each([
  ['3.53.4', 'ok'],
  ['3.51.3', 'ok'],
  ['3.51.2', 'warn'],
])('SQLite %s: %s', (version, status) => {
  expect(sqliteVersion(version).status).toBe(status)
})

test.each([
  ['ext4', 0xef53, 'ok'],
  ['NFS', 0x6969, 'warn'],
  ['CIFS', 0xff534d42, 'warn'],
  ['CIFS', 0xff534d42 | 0, 'warn'],
  ['FUSE', 0x65735546, 'warn'],
  ['in memory', 0x01021994, 'warn'],
  ['0x12345', 0x12345, 'ok'],
])('a file system of kind %s (%i): %s', (name, type, status) => {
  const found = judgeFileSystem(type)
  expect(found.status).toBe(status)
  expect(found.finding).toContain(name)
})

test.each([
  [2 ** 40, 2 ** 30, 'ok'],
  [2 ** 30, 2 ** 20, 'ok'],
  [2 ** 30, 2 ** 34, 'warn'],
  [200 * 2 ** 20, 2 ** 20, 'warn'],
  [2 ** 20, 2 ** 20, 'FAIL'],
])('%i bytes free beside a file of %i: %s', (free, size, status) => {
  expect(judgeSpace(free, size).status).toBe(status)
})

test.each([
  ['/app/node_modules/better-sqlite3/prebuilds/linux-x64.node', 'better-sqlite3'],
  ['/app/node_modules/.pnpm/sqlite3@5.1.7/node_modules/sqlite3/build/Release/node_sqlite3.node', 'sqlite3'],
  ['/app/node_modules/@libsql/linux-x64-gnu/index.node', '@libsql/linux-x64-gnu'],
  ['/app/dist/better_sqlite3.node', 'better-sqlite3'],
  ['/usr/lib/x86_64-linux-gnu/libsqlite3.so.0.8.6', 'libsqlite3'],
  ['/app/node_modules/bcrypt/prebuilds/bcrypt.node', undefined],
  ['/home/me/sqlite/data.txt', undefined],
])('%s is the SQLite library %s', (file, name) => {
  expect(libraryOf(file)).toBe(name)
})
