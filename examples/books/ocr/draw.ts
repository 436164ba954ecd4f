/** Draws the first pages of a text as pictures, as a scanner would have made them: input for `ocr` that is at hand. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { initWasm, Resvg } from '@resvg/resvg-wasm'

const packages = path.join(import.meta.dirname, '../node_modules')
const linesAPage = 40
const size = { height: 1_170, margin: 60, pitch: 26, letters: 18 }
/** The widest letters are about so wide; a page is at least as wide as a usual line. */
const letterWidth = 12
const usualLine = 72
const fontFamily = 'DejaVu Serif'

/** @returns the pictures, in order */
export async function drawPages(text: string, folder: string, pages: number): Promise<readonly string[]> {
  await initWasm(readFileSync(path.join(packages, '@resvg/resvg-wasm/index_bg.wasm')))
  const font = readFileSync(path.join(packages, 'dejavu-fonts-ttf/ttf/DejaVuSerif.ttf'))
  mkdirSync(folder, { recursive: true })
  const lines = text.split('\n')
  return Array.from({ length: Math.min(pages, Math.ceil(lines.length / linesAPage)) }, (_, page) => {
    const svg = pageOf(lines.slice(page * linesAPage, (page + 1) * linesAPage))
    const picture = new Resvg(svg, { font: { fontBuffers: [font], defaultFontFamily: fontFamily } }).render()
    const file = path.join(folder, `page-${String(page + 1).padStart(3, '0')}.png`)
    writeFileSync(file, picture.asPng())
    return file
  })
}

function pageOf(lines: readonly string[]): string {
  const { height, margin, pitch, letters } = size
  const width = 2 * margin + letterWidth * Math.max(usualLine, ...lines.map((line) => line.length))
  const rows = lines.map((line, at) => {
    const y = margin + letters + at * pitch
    return `<text xml:space="preserve" x="${margin}" y="${y}">${escape(line)}</text>`
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" font-family="${fontFamily}" font-size="${letters}">
<rect width="100%" height="100%" fill="#fff"/>${rows.join('')}</svg>`
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
}
