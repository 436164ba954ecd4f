/** Every route there is, by which a wrong method is told from a wrong path. */
import type { FastifyInstance } from 'fastify'

interface Known {
  readonly pattern: RegExp
  readonly methods: readonly string[]
}

export class Routes {
  readonly #known: Known[] = []

  constructor(app: FastifyInstance) {
    app.addHook('onRoute', ({ method, url }) => {
      const pattern = new RegExp(
        `^${url.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&').replaceAll(/:\w+/g, '[^/]+')}$`,
      )
      this.#known.push({ pattern, methods: Array.isArray(method) ? method : [method] })
    })
  }

  methodsOf(url: string): string[] {
    const path = url.split(/[?#]/, 1)[0] ?? ''
    const methods = this.#known.filter(({ pattern }) => pattern.test(path)).flatMap((known) => known.methods)
    return [...new Set(methods)]
  }
}
