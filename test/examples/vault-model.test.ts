/** S0: the model of the vault, whose weights run on ONNX Runtime, against the runtime that they are shipped with. */
import { globSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { withExample } from '../support/examples.ts'

await withExample('vault', async () => {
  const { loadShipped } = await import('../../examples/vault/embed/shipped.ts')
  const { loadEncoder, maxTokens } = await import('../../examples/vault/embed/encoder.ts')
  const shipped = await loadShipped()
  const encoder = await loadEncoder()

  const root = path.join(import.meta.dirname, '../..')
  const real = globSync('docs/**/*.md', { cwd: root })
    .toSorted()
    .map((file) => readFileSync(path.join(root, file), 'utf8').slice(0, 1_000))
  const odd = [
    '',
    ' ',
    'b',
    '   two  spaces',
    'naïve ﬁne',
    '日本語の文',
    '😀😀 smile 😀',
    '\u2581',
    'x'.repeat(300),
    '\n\n\t#',
  ]

  test('texts are divided into the same tokens', () => {
    for (const text of [...odd, ...real])
      expect(encoder.tokens(text), text).toEqual(shipped.tokenizer.encode(text))
  })

  test('vectors are the same, alone and among longer ones, to within a ten thousandth', async () => {
    const texts = [
      'a ship at sea',
      'b',
      'the oven is hot '.repeat(60),
      ...odd.slice(3, 7),
      ...real.slice(0, 8),
    ]
    const tokens = texts.map((text) => encoder.tokens(text).slice(0, maxTokens))
    const wanted = await shipped.embed(texts)
    const together = await encoder.encode(tokens)
    for (const [at, vector] of wanted.entries()) {
      const [alone] = await encoder.encode([tokens[at] ?? []])
      for (const got of [together[at], alone])
        expect(Math.max(...vector.map((value, n) => Math.abs(value - (got?.[n] ?? NaN))))).toBeLessThan(1e-4)
    }
  })
})
