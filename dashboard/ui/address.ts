/** The route in the address bar. */
import { createStore } from './store.ts'
import { formatRoute, parseRoute, type Route } from './route.ts'

export const route = createStore(parseRoute(location.hash))

export function followAddress(): void {
  addEventListener('hashchange', () => {
    if (formatRoute(route.get()) !== location.hash) route.set(parseRoute(location.hash))
  })
}

/** Shows another view: the way back leads here. */
export function goTo(change: Partial<Route>): void {
  const next = { ...route.get(), ...change }
  const address = formatRoute(next)
  if (address !== location.hash) history.pushState(null, '', address)
  route.set(next)
}

/** The same view with other details: typing a search leaves no trail of letters. */
export function refine(change: Partial<Route>): void {
  const next = { ...route.get(), ...change }
  history.replaceState(null, '', formatRoute(next))
  route.set(next)
}
