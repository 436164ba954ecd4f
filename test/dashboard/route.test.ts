import { expect, test } from 'vitest'
import { filterParameters, formatRoute, NO_FILTER, parseRoute, type Route } from '../../dashboard/ui/route.ts'

test('dashboard · an address is the view and its filter, and leads back to them', () => {
  const route: Route = {
    view: 'logs',
    minutes: 15,
    filter: {
      text: '"connection refused" -debug & more',
      level: 'warn',
      service: 'größe/1',
      attributes: { 'http.status': '503', 'a=b': 'c&d' },
    },
    kind: '',
  }
  expect(parseRoute(formatRoute(route))).toEqual(route)
  const effects: Route = { view: 'effects', minutes: 5, filter: NO_FILTER, kind: 'a/b & "c"' }
  expect(parseRoute(formatRoute(effects))).toEqual(effects)
})

test('dashboard · an address that leads nowhere shows the overview, unfiltered', () => {
  const overview = { view: 'overview', minutes: 5, filter: NO_FILTER, kind: '' }
  for (const hash of ['', '#', '#/', '#/nowhere?level=loud&minutes=7', '#main']) {
    expect(parseRoute(hash)).toEqual(overview)
  }
})

test('dashboard · the server is asked for what the filter says and nothing else', () => {
  expect(filterParameters(NO_FILTER).toString()).toBe('')
  expect(filterParameters({ ...NO_FILTER, text: '  ', service: ' api ' }).toString()).toBe('service=api')
  expect(filterParameters({ ...NO_FILTER, attributes: { host: 'eu-1' } }).toString()).toBe('attr.host=eu-1')
})
