import type { FastifyInstance } from 'fastify'

/** `/`: the page that shows what the server tells. */
export function registerDashboard(_app: FastifyInstance): void {
  // Its files are served from here.
}
