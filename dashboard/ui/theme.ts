/** Dark, light, or as the system has it; remembered in this browser. */
import { recall, remember } from './remembered.ts'
import { createStore } from './store.ts'

export const THEMES = ['auto', 'dark', 'light'] as const
export type Theme = (typeof THEMES)[number]

const KEY = 'tidemark.theme'

export const theme = createStore<Theme>(
  THEMES.find((known) => known === recall('localStorage', KEY)) ?? 'auto',
)
/** Raised whenever colours change, for what is painted and not styled. */
export const paint = createStore(0)

const systemIsDark = matchMedia('(prefers-color-scheme: dark)')

export function startTheme(): void {
  const apply = (): void => {
    document.documentElement.dataset['theme'] = theme.get()
    paint.set(paint.get() + 1)
  }
  apply()
  theme.subscribe(() => {
    remember('localStorage', KEY, theme.get())
    apply()
  })
  systemIsDark.addEventListener('change', apply)
}

export function nextTheme(): Theme {
  return THEMES[(THEMES.indexOf(theme.get()) + 1) % THEMES.length] ?? 'auto'
}

/** What a colour of the style sheet is just now, as a canvas takes it. */
export function readColours<const Name extends string>(...names: readonly Name[]): Record<Name, string> {
  const probe = document.body.appendChild(document.createElement('i'))
  probe.hidden = true
  const colours = names.map((name) => {
    probe.style.color = `var(--${name})`
    return [name, getComputedStyle(probe).color]
  })
  probe.remove()
  return Object.fromEntries(colours) as Record<Name, string>
}
