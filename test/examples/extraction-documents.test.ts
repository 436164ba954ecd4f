/** S1: what is read of a document, and which names are found in it. */
import { symlinkSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { withExample } from '../support/examples.ts'
import { documents } from './extraction-system.ts'

await withExample('extraction', async () => {
  const { entitiesOf } = await import('../../examples/extraction/documents/entities.ts')
  const { parseDocument } = await import('../../examples/extraction/documents/parse.ts')
  const { BadDocument, readDocument } = await import('../../examples/extraction/documents/read.ts')
  const { asHtml, asMarkdown, madeDocument } = await import('../../examples/extraction/made.ts')
  const { serveSite } = await import('../../examples/extraction/site.ts')

  const { signal } = new AbortController()

  test('HTML, Markdown and text give their title and their words, without markup, scripts and menus', () => {
    const html = `<html><head><title> A &amp; B </title><style>.x{}</style></head><body><nav>Menu</nav>
      <h1>Other</h1><p>One <b>two</b></p><p>Three</p><script>four()</script></body></html>`
    expect(parseDocument({ format: 'html', content: html }, 'x')).toEqual({
      title: 'A & B',
      body: 'Other\nOne two\nThree',
    })
    const markdown = '# Title\n\nSome *words* and [a link](http://x.example).\n\n- one\n- two\n'
    expect(parseDocument({ format: 'markdown', content: markdown }, 'x')).toMatchObject({
      title: 'Title',
      body: expect.stringMatching(/Some words and a link\.\n+one\n+two/),
    })
    expect(parseDocument({ format: 'text', content: '\n\n First line \nsecond' }, 'x').title).toBe(
      'First line',
    )
    for (const format of ['html', 'markdown', 'text'] as const)
      expect(parseDocument({ format, content: '' }, 'empty.md')).toEqual({ title: 'empty.md', body: '' })
  })

  test('a made document is the same as HTML and as Markdown, and every number has words of its own', () => {
    const own = new Set<string>()
    for (let n = 0; n < 3_000; n++) for (const word of madeDocument(1, n).own.split(' ')) own.add(word)
    expect(own.size).toBe(18_000)
    const made = madeDocument(2, 7)
    const html = parseDocument({ format: 'html', content: asHtml(made) }, '')
    const markdown = parseDocument({ format: 'markdown', content: asMarkdown(made) }, '')
    const flat = ({ title, body }: typeof html): string => `${title} ${body.replaceAll(/\s+/g, ' ')}`
    expect(flat(html)).toBe(flat(markdown))
  })

  test('names are found by form and by language, each once, with how often it came', () => {
    const found = entitiesOf(
      'Ada Lovelace of London wrote to ada@example.com on 2026-03-04. London is old. See https://example.com/a?b=c. It was $1,200.',
    )
    expect(found).toEqual(
      expect.arrayContaining([
        { kind: 'person', name: 'Ada Lovelace', count: 1 },
        { kind: 'place', name: 'London', count: 2 },
        { kind: 'email', name: 'ada@example.com', count: 1 },
        { kind: 'date', name: '2026-03-04', count: 1 },
        { kind: 'url', name: 'https://example.com/a?b=c', count: 1 },
        { kind: 'money', name: '$1,200', count: 1 },
      ]),
    )
    const keys = found.map(({ kind, name }) => `${kind} ${name}`)
    expect(new Set(keys).size).toBe(keys.length)
    expect(entitiesOf('')).toEqual([])
  })

  // SPEC S1.12
  test('what is no document of the folder is refused for good, and nothing outside of it is read', async () => {
    const folder = documents({ 'a.md': '# A', 'b.bin': 'x', 'sub/c.md': '# C' })
    symlinkSync('/etc/hostname', path.join(folder, 'out.txt'))
    symlinkSync(path.join(folder, 'a.md'), path.join(folder, 'in.md'))
    expect(await readDocument('in.md', folder, signal)).toEqual({ format: 'markdown', content: '# A' })
    for (const bad of ['b.bin', 'out.txt', 'none.md', 'sub', 'a.md/b.md', '../a.md'])
      await expect(readDocument(bad, folder, signal), bad).rejects.toThrow(BadDocument)
    // Whoever mounts it later: that passes.
    await expect(readDocument('a.md', path.join(folder, 'nowhere'), signal)).rejects.not.toBeInstanceOf(
      BadDocument,
    )
  })

  test('a page is read by its type; what it answers for good is told from what passes', async () => {
    const folder = documents({ 'a.md': '# A', 'b.bin': 'x' })
    const site = await serveSite(folder)
    expect(await readDocument(`${site.url}/a.md`, folder, signal)).toEqual({
      format: 'markdown',
      content: '# A',
    })
    expect((await readDocument(`${site.url}/`, folder, signal)).content).toContain('href="/a.md"')
    await expect(readDocument(`${site.url}/b.bin`, folder, signal)).rejects.toThrow(BadDocument)
    await site[Symbol.asyncDispose]()
    await expect(readDocument(`${site.url}/a.md`, folder, signal)).rejects.not.toBeInstanceOf(BadDocument)
  })
})
