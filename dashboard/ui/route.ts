/** What the page shows, as the part of its address behind `#`, so that a link shows another person the same. */

export const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const
export type Level = (typeof LEVELS)[number]

export const VIEWS = ['overview', 'logs', 'effects', 'dead-letters'] as const
export type View = (typeof VIEWS)[number]

export const WINDOWS = [1, 5, 15] as const
export type WindowMinutes = (typeof WINDOWS)[number]

/** What log entries must have to be shown. */
export interface Filter {
  readonly text: string
  /** At least this level. */
  readonly level: Level | undefined
  readonly service: string
  readonly attributes: Readonly<Record<string, string>>
}

export interface Route {
  readonly view: View
  readonly minutes: WindowMinutes
  readonly filter: Filter
  /** The kind of effects that is looked at closely. */
  readonly kind: string
}

export const NO_FILTER: Filter = { text: '', level: undefined, service: '', attributes: {} }
const ATTRIBUTE = 'attr.'

export function parseRoute(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?')
  const parameters = new URLSearchParams(query)
  return {
    view: VIEWS.find((view) => view === path) ?? 'overview',
    minutes: WINDOWS.find((minutes) => String(minutes) === parameters.get('minutes')) ?? 5,
    filter: parseFilter(parameters),
    kind: parameters.get('kind') ?? '',
  }
}

function parseFilter(parameters: URLSearchParams): Filter {
  const attributes = [...parameters].flatMap(([name, value]) =>
    name.startsWith(ATTRIBUTE) ? [[name.slice(ATTRIBUTE.length), value] as const] : [],
  )
  return {
    text: parameters.get('q') ?? '',
    // Every level is no filter.
    level: LEVELS.slice(1).find((level) => level === parameters.get('level')),
    service: parameters.get('service') ?? '',
    attributes: Object.fromEntries(attributes),
  }
}

/** The filter as the server's routes take it; the page's own address uses the same names. */
export function filterParameters(filter: Filter): URLSearchParams {
  const parameters = new URLSearchParams()
  if (filter.text.trim() !== '') parameters.set('q', filter.text.trim())
  if (filter.level !== undefined) parameters.set('level', filter.level)
  if (filter.service.trim() !== '') parameters.set('service', filter.service.trim())
  for (const [name, value] of Object.entries(filter.attributes)) parameters.set(`${ATTRIBUTE}${name}`, value)
  return parameters
}

export function formatRoute(route: Route): string {
  const parameters = filterParameters(route.filter)
  if (route.view === 'effects' && route.kind !== '') parameters.set('kind', route.kind)
  if (route.minutes !== 5) parameters.set('minutes', String(route.minutes))
  const query = parameters.toString()
  return `#/${route.view}${query === '' ? '' : `?${query}`}`
}

export function isFiltered(filter: Filter): boolean {
  return filterParameters(filter).size > 0
}
