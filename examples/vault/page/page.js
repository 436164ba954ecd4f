/** Shows notes on their way, as the watcher tells it, and asks it. No framework: this is all. */
const stages = ['seen', 'written', 'embedding', 'searchable']
const shownAtOnce = matchMedia('(max-width: 640px)').matches ? 4 : 9

/** Where each note was last, as far as was told: for the lists under the numbers, the newest first. */
const lists = Object.fromEntries(stages.map((stage) => [stage, new Map()]))

const byId = (id) => document.getElementById(id)

function element(tag, text, className) {
  const made = document.createElement(tag)
  if (text !== undefined) made.textContent = text
  if (className) made.className = className
  return made
}

function move({ path, stage }) {
  const where = stage === 'accepted' ? 'seen' : stage
  for (const list of Object.values(lists)) list.delete(path)
  if (!stages.includes(where)) return
  lists[where].set(path, Date.now())
  if (lists[where].size > 400) lists[where].delete(lists[where].keys().next().value)
}

function drawStage(stage, count) {
  const card = document.querySelector(`[data-stage="${stage}"]`)
  card.querySelector('output').textContent = count.toLocaleString('en')
  const list = lists[stage]
  // Of those that were not told the list does not know when they went on.
  if (stage !== 'searchable' && count === 0) list.clear()
  const paths = [...list.keys()].toReversed().slice(0, shownAtOnce)
  const items = card.querySelector('ul')
  const known = new Map([...items.children].map((item) => [item.title, item]))
  const rows = paths.map((path) => {
    const old = known.get(path)
    if (old) {
      old.classList.remove('new')
      return old
    }
    const row = element('li', undefined, 'new')
    row.append(element('bdi', path))
    row.title = path
    return row
  })
  const more = stage === 'searchable' ? 0 : count - rows.length
  if (more > 0 && rows.length > 0) rows.push(element('li', `and ${more.toLocaleString('en')} more`, 'more'))
  items.replaceChildren(...rows)
}

function duration(ms) {
  return ms < 1000 ? `${ms} ms` : `${(ms / 1000).toPrecision(2)} s`
}

function draw(news) {
  byId('folder').textContent = news.folder
  for (const one of news.moves) move(one)
  for (const stage of stages) drawStage(stage, news.counts[stage])
  if (news.medianMs !== null)
    byId('median').textContent = `${duration(news.medianMs)} from seen to here (median)`
  byId('trouble').hidden = news.problems.length === 0
  const { refused, failed } = news.counts
  byId('trouble').querySelector('h2').textContent = `${refused + failed} left out`
  byId('problems').replaceChildren(
    ...news.problems.map(({ path, problem }) => element('li', `${path}: ${problem}`)),
  )
  byId('notices').replaceChildren(
    ...news.notices
      .toReversed()
      .map(({ text, atMs }) => element('li', `${new Date(atMs).toLocaleTimeString()}  ${text}`)),
  )
}

function connection(is, text) {
  byId('connection').dataset.is = is
  byId('connection').textContent = text
}

const flow = new EventSource('/api/flow')
flow.addEventListener('open', () => connection('live', 'live'))
flow.addEventListener('error', () => connection('lost', 'the watcher does not answer; trying again'))
flow.addEventListener('message', ({ data }) => draw(JSON.parse(data)))

function freshness({ level, waitedMs, tookMs, pending, stale, outdated, notSearchable }) {
  if (stale !== undefined) return `No answer as fresh as ${level} after ${Math.round(waitedMs)} ms: ${stale}`
  const parts = [`${level}: waited ${Math.round(waitedMs)} ms of ${Math.round(tookMs)}`]
  if (notSearchable > 0) parts.push(`${notSearchable} notes are not searchable yet`)
  if (outdated > 0) parts.push(`${outdated} left out: their text has changed`)
  if (pending.length > 0) parts.push(`pending: ${pending.map(({ path }) => path).join(', ')}`)
  if (parts.length === 1) parts.push('nothing pending')
  return parts.join(' · ')
}

byId('ask').addEventListener('submit', (event) => {
  event.preventDefault()
  void ask(event.target)
})

async function ask(form) {
  const fresh = byId('fresh')
  fresh.dataset.is = ''
  fresh.textContent = 'asking…'
  try {
    const given = new URLSearchParams(new FormData(form))
    const response = await fetch(`/api/search?${given}`)
    const answer = await response.json()
    if (!response.ok) throw new Error(answer.problem)
    if (answer.stale !== undefined) fresh.dataset.is = 'stale'
    fresh.textContent = freshness(answer)
    byId('found').replaceChildren(...answer.found.map(foundRow))
    if (answer.found.length === 0) byId('found').append(element('li', 'Nothing found.'))
  } catch (error) {
    fresh.dataset.is = 'stale'
    fresh.textContent = String(error.message ?? error)
  }
}

function foundRow({ path, line, heading, text, likeness }) {
  const row = element('li')
  const where = element('div', undefined, 'where')
  where.append(element('span', `${path}:${line}`), element('b', likeness.toFixed(2)))
  row.append(where)
  if (heading !== '') row.append(element('div', heading, 'heading'))
  row.append(element('p', text, 'text'))
  return row
}
