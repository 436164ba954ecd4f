/** The second view: the logs, live and searchable. The list moves only while nobody reads or pauses it. */
import type { VNode } from 'preact'
import { useCallback, useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { refine, route } from '../ui/address.ts'
import { html } from '../ui/html.ts'
import { listenToKeys } from '../ui/keys.ts'
import { filterParameters, isFiltered, type Filter } from '../ui/route.ts'
import { useStore } from '../ui/store.ts'
import { FilterBar } from './filter-bar.ts'
import { FirstSteps } from './first-steps.ts'
import { searchPattern } from './highlight.ts'
import { LogList } from './list.ts'
import { hideLogs, hold, logs, showLogs, type LogsState } from './live-logs.ts'
import { LogNotes, NothingFound } from './notes.ts'
import type { Row } from './rows.ts'
import { focusedEntry, focusEntry, neighbourOf } from './walk.ts'

/** Scrolled less than this, the newest entry is still in sight. */
const AT_TOP_PX = 8

export function Logs(): VNode {
  const { filter } = useStore(route)
  const state = useStore(logs)
  const [isPaused, setPaused] = useState(false)
  const [isScrolled, setScrolled] = useState(false)
  const [openId, setOpenId] = useState<number>()
  const [currentId, setCurrentId] = useState<number>()
  const scroller = useRef<HTMLDivElement>(null)
  const query = filterParameters(filter).toString()
  const pattern = useMemo(() => searchPattern(filter.text), [filter.text])
  const services = useMemo(() => servicesOf(state.rows), [state.rows])

  const letGo = useCallback((): void => {
    setOpenId(undefined)
    setCurrentId(undefined)
    setPaused(false)
    scroller.current?.scrollTo({ top: 0 })
  }, [])
  const toNewest = useCallback((): void => {
    letGo()
    if (logs.get().hasLeftNewest) void showLogs(route.get().filter)
  }, [letGo])
  const togglePause = (): void => (isPaused ? toNewest() : setPaused(true))
  const toggle = useCallback(
    (id: number): void => {
      // Closed, it holds the list no longer.
      setCurrentId(openId === id ? undefined : id)
      setOpenId(openId === id ? undefined : id)
    },
    [openId],
  )
  const applyFilter = useCallback((change: Partial<Filter>): void => {
    const { filter: before } = route.get()
    refine({ filter: { ...before, ...change } })
  }, [])
  const narrowFilter = useCallback(
    (change: Partial<Filter>): void => {
      const { attributes } = route.get().filter
      applyFilter({ ...change, attributes: { ...attributes, ...change.attributes } })
    },
    [applyFilter],
  )

  useEffect(() => {
    letGo()
    void showLogs(route.get().filter)
    return hideLogs
  }, [query, letGo])
  useEffect(
    () => hold(isPaused || isScrolled || openId !== undefined || currentId !== undefined),
    [isPaused, isScrolled, openId, currentId],
  )
  useEffect(() => {
    const walk = (step: 1 | -1) => () => {
      const id = neighbourOf(logs.get().rows, focusedEntry() ?? currentId, step)
      if (id === undefined) return
      setCurrentId(id)
      focusEntry(id)
    }
    return listenToKeys({
      ' ': togglePause,
      j: walk(1),
      ArrowDown: walk(1),
      k: walk(-1),
      ArrowUp: walk(-1),
      Escape: () => (openId === undefined ? toNewest() : setOpenId(undefined)),
    })
  }, [currentId, openId, isPaused, toNewest])

  return html`<div class="logs">
    <h1 class="visually-hidden">Logs</h1>
    <${FilterBar}
      filter=${filter}
      services=${services}
      isPaused=${isPaused}
      onFilter=${applyFilter}
      onPause=${togglePause}
    />
    <${LogNotes} state=${state} filter=${filter} isPaused=${isPaused} onShow=${toNewest} />
    <div
      class="log-scroll"
      ref=${scroller}
      onScroll=${({ currentTarget }: { currentTarget: HTMLElement }) =>
        setScrolled(currentTarget.scrollTop > AT_TOP_PX)}
    >
      <${Content}
        state=${state}
        filter=${filter}
        list=${() =>
          html`<${LogList}
            state=${state}
            pattern=${pattern}
            openId=${openId}
            currentId=${currentId}
            onToggle=${toggle}
            onFilter=${narrowFilter}
          />`}
      />
    </div>
  </div>`
}

function Content({ state, filter, list }: { state: LogsState; filter: Filter; list: () => VNode }): VNode {
  if (state.phase === 'failed') {
    return html`<section class="empty" role="alert">
      <h2>No entries to show.</h2>
      <p>${state.error}</p>
    </section>`
  }
  // A search may end early and go on with the next page, though it found nothing yet.
  if (state.rows.length > 0 || state.next !== undefined) return list()
  if (state.phase === 'loading') {
    return html`<div class="entries" aria-busy="true">
      ${Array.from({ length: 12 }, () => html`<div class="entry-skeleton skeleton"></div>`)}
    </div>`
  }
  return isFiltered(filter) ? html`<${NothingFound} filter=${filter} />` : html`<${FirstSteps} />`
}

function servicesOf(rows: readonly Row[]): string[] {
  const services = rows.flatMap((row) => (row.kind === 'entry' ? [row.entry.service] : []))
  return [...new Set(services)].filter((service) => service !== null).toSorted()
}
