import { expect, test } from 'vitest'
import { readEvents, type ServerEvent } from '../../dashboard/api/server-sent-events.ts'

const text =
  ': hello\nretry: 1000\n\n' +
  'event: entry\nid: 7\ndata: {"message":"größe 🌊"}\n\n' +
  ': still here\n\n' +
  'event: entry\r\nid: 8\r\ndata: first\r\ndata: second\r\n\r\n' +
  'event: end\ndata: {}\n\n'

async function read(pieces: readonly Uint8Array<ArrayBuffer>[]): Promise<ServerEvent[]> {
  const stream = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const piece of pieces) controller.enqueue(piece)
      controller.close()
    },
  })
  const events: ServerEvent[] = []
  for await (const some of readEvents(stream)) events.push(...some)
  return events
}

test.for([1, 2, 3, 7, 1_000])('dashboard · events come apart, in pieces of %d bytes', async (size) => {
  const bytes = new TextEncoder().encode(text)
  const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
    bytes.slice(index * size, (index + 1) * size),
  )
  expect(await read(pieces)).toEqual([
    { event: 'entry', id: '7', data: '{"message":"größe 🌊"}' },
    { event: 'entry', id: '8', data: 'first\nsecond' },
    { event: 'end', id: undefined, data: '{}' },
  ])
})

test('dashboard · a heartbeat is no event, but tells that the line is alive', async () => {
  let heard = 0
  const stream = new Blob([': still here\n\n']).stream()
  for await (const events of readEvents(stream, () => heard++)) expect.fail(JSON.stringify(events))
  expect(heard).toBe(1)
})

test('dashboard · an event that was cut off is not taken for one', async () => {
  expect(await read([new TextEncoder().encode('event: entry\nid: 9\ndata: {"message":"cut')])).toEqual([])
})
