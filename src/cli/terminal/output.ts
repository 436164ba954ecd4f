/** Standard output of commands that may have much to say. */

/** What is handed to the system at once. */
const pieceLength = 64 * 1024

/** Prints as fast as the reader takes it, and no more once the reader has seen enough (`| head`). */
export async function print(texts: Iterable<string> | AsyncIterable<string>): Promise<void> {
  let piece = ''
  for await (const text of texts) {
    piece += text
    if (piece.length < pieceLength) continue
    if (!(await isTaken(piece))) return
    piece = ''
  }
  await isTaken(piece)
}

/** Why it was not taken is the business of whoever listens to the stream's errors. */
function isTaken(piece: string): Promise<boolean> {
  return new Promise((resolve) => {
    process.stdout.write(piece, (error) => resolve(!error))
  })
}
