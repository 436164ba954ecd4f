/**
 * The target of the campaign on effects, a process of its own: it appends what it is sent to a file, makes that durable,
 * and only then answers. Now and then it refuses, or its answer takes too long.
 *
 *   node effects-target.ts FILE PORT NUMBER
 */
import { fsyncSync, openSync, writeSync } from 'node:fs'
import { createServer } from 'node:http'
import { text } from 'node:stream/consumers'
import { setTimeout as delay } from 'node:timers/promises'

const [, , file = '', port = '', incarnation = ''] = process.argv
const taken = openSync(file, 'a')
const slowMs = 400
let requests = 0

createServer((request, response) => {
  void text(request).then(async (lines) => {
    const number = ++requests
    if (number % 17 === 0) return response.writeHead(503).end()
    const isSlow = number % 41 === 0
    writeSync(taken, lines.replaceAll('\n', ` ${incarnation} ${isSlow ? 'slow' : ''}\n`))
    fsyncSync(taken)
    if (isSlow) await delay(slowMs)
    return response.end()
  })
}).listen(Number(port), '127.0.0.1', () => console.log('ready'))
