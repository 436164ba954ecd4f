/** What a document says: its title, and its text without markup. */
import { marked } from 'marked'
import { parse, type HTMLElement } from 'node-html-parser'
import type { Document } from './read.ts'

export interface Parsed {
  readonly title: string
  readonly body: string
}

const maxTitle = 300
/** Of the text so much is kept, in characters. */
const maxBody = 100_000
const apparatus = 'script, style, template, noscript, nav, svg'

/** @param name stands for the title where the document has none */
export function parseDocument({ format, content }: Document, name: string): Parsed {
  if (format === 'text')
    return finish(content.split('\n').find((line) => line.trim() !== '') ?? name, content)
  const root = parse(format === 'markdown' ? marked.parse(content, { async: false }) : content)
  for (const element of root.querySelectorAll(apparatus)) element.remove()
  const body: HTMLElement = root.querySelector('body') ?? root
  const title = textOf(root.querySelector('title')) || textOf(root.querySelector('h1')) || name
  return finish(title, body.structuredText)
}

function finish(title: string, body: string): Parsed {
  return {
    title: title.trim().replaceAll(/\s+/g, ' ').slice(0, maxTitle).toWellFormed(),
    body: body
      .split('\n')
      .map((line) => line.trim())
      .join('\n')
      .replaceAll(/\n{3,}/g, '\n\n')
      .trim()
      .slice(0, maxBody)
      .toWellFormed(),
  }
}

function textOf(element: HTMLElement | null): string {
  return element?.text.trim() ?? ''
}
