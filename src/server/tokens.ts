/**
 * Who may do what: tokens with their scopes, compared so that the time it takes tells nothing.
 *
 * Only digests are kept. Every token is compared with every request, all of it, whether one matched before or not.
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import { invalidServerOptions } from './options.ts'

export const SCOPES = ['read', 'write', 'admin'] as const
/** Each says what it says, none includes another. */
export type Scope = (typeof SCOPES)[number]

export type Token = {
  /** For the log. */
  readonly name: string
  readonly scopes: readonly Scope[]
} & ({ readonly token: string } | { /** Of the token, as hexadecimal digits. */ readonly sha256: string })

export interface Caller {
  readonly name: string
  readonly scopes: readonly Scope[]
}

/** So short a token could be guessed. */
const minLength = 16

export class Tokens {
  readonly #known: readonly { readonly digest: Buffer; readonly caller: Caller }[]

  /** @throws TidemarkError `INVALID_OPTIONS`; it never repeats a token */
  constructor(tokens: readonly Token[]) {
    const problems = tokens.flatMap(problemsOf)
    const names = tokens.map(({ name }) => name)
    const twice = names.filter((name, index) => names.indexOf(name) !== index)
    for (const name of new Set(twice)) problems.push(`two tokens are called ${JSON.stringify(name)}`)
    if (problems.length > 0) throw invalidServerOptions(problems)
    this.#known = tokens.map((token) => ({
      digest: 'sha256' in token ? Buffer.from(token.sha256, 'hex') : digestOf(token.token),
      caller: { name: token.name, scopes: [...token.scopes] },
    }))
  }

  /** Without tokens everybody may do everything. */
  get isOpen(): boolean {
    return this.#known.length === 0
  }

  find(token: string): Caller | undefined {
    const digest = digestOf(token)
    let found: Caller | undefined
    for (const { digest: known, caller } of this.#known) {
      if (timingSafeEqual(known, digest)) found = caller
    }
    return found
  }
}

/**
 * Lines of `name scopes token`: `grafana read 4f…`, `ops read,write,admin 9c…`. A token may be written as
 * `sha256:` and the digits of its digest. Empty lines and those that begin with `#` are passed over.
 *
 * @param source for the message: a file, or the name of a variable
 * @throws TidemarkError `INVALID_OPTIONS`, with the number of the line and never with what stands in it
 */
export function parseTokens(text: string, source: string): Token[] {
  const problems: string[] = []
  const tokens: Token[] = []
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (/^\s*(#|$)/.test(line)) continue
    const token = parseLine(line)
    if (typeof token === 'string') problems.push(`${source}, line ${index + 1}: ${token}`)
    else tokens.push(token)
  }
  if (problems.length === 0 && tokens.length === 0) problems.push(`${source} holds no token`)
  if (problems.length > 0) throw invalidServerOptions(problems)
  return tokens
}

function parseLine(line: string): Token | string {
  const [name, scopeList, secret, ...more] = line.trim().split(/\s+/)
  if (name === undefined || scopeList === undefined || secret === undefined || more.length > 0)
    return 'not of the form `name scopes token`'
  const scopes: Scope[] = []
  for (const word of scopeList.split(',')) {
    const scope = SCOPES.find((known) => known === word)
    if (scope === undefined)
      return `the scopes must be some of ${SCOPES.join(', ')}, with commas between them`
    scopes.push(scope)
  }
  const digest = /^sha256:([0-9a-f]{64})$/i.exec(secret)?.[1]
  const token: Token =
    digest === undefined ? { name, scopes, token: secret } : { name, scopes, sha256: digest }
  const [problem] = problemsOf(token)
  return problem ?? token
}

function problemsOf(token: Token): string[] {
  const problems: string[] = []
  const who = `the token called ${JSON.stringify(token.name)}`
  if (typeof token.name !== 'string' || token.name === '') problems.push('a token has no name')
  if (token.scopes.length === 0 || !token.scopes.every((scope) => SCOPES.includes(scope)))
    problems.push(`${who} needs scopes, of ${SCOPES.join(', ')}`)
  if ('sha256' in token) {
    if (!/^[0-9a-f]{64}$/i.test(token.sha256))
      problems.push(`${who} has a sha256 that is not 64 hexadecimal digits`)
  } else if (typeof token.token !== 'string' || !/^[A-Za-z0-9._~+/-]+=*$/.test(token.token)) {
    problems.push(`${who} has characters that no Bearer token may have`)
  } else if (token.token.length < minLength) {
    problems.push(`${who} is shorter than ${minLength} characters: take one of \`tidemark token\``)
  }
  return problems
}

function digestOf(token: string): Buffer {
  return createHash('sha256').update(token).digest()
}
