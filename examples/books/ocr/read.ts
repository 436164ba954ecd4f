/** Reads the text of a page from its picture, with Tesseract: everything it needs is in the packages of the example. */
import path from 'node:path'
import type { Worker } from 'tesseract.js'
import { textOfLines } from './layout.ts'

const language = path.join(import.meta.dirname, '../node_modules/@tesseract.js-data/eng/4.0.0_best_int')

let opening: Promise<Worker> | undefined

export async function readPage(
  image: string,
): Promise<{ readonly text: string; readonly confidence: number }> {
  opening ??= openReader()
  const { data } = await (await opening).recognize(image, {}, { blocks: true, text: false })
  const lines = (data.blocks ?? [])
    .flatMap(({ paragraphs }) => paragraphs)
    .flatMap(({ lines: found }) => found)
  const text = textOfLines(lines.map((line) => ({ text: line.text, baseline: line.baseline.y0 })))
  return { text, confidence: data.confidence }
}

export async function closeReader(): Promise<void> {
  await (await opening)?.terminate()
  opening = undefined
}

/** Loaded only by a run that reads pictures: it is large. */
async function openReader(): Promise<Worker> {
  const { createWorker } = await import('tesseract.js')
  return createWorker('eng', 1, { langPath: language, cacheMethod: 'none', gzip: true })
}
