// Searches in the browser: fetches the shards of the index for the words asked (piperoll/describing/search.py).
(() => {
  'use strict'

  const settings = document.getElementById('search-settings')
  if (!settings) return
  const { datasets } = JSON.parse(settings.textContent)
  const LITTLE = new Set(['and', 'co', 'for', 'limited', 'llp', 'ltd', 'of', 'plc', 'the'])
  const SHORTEST = 2
  const LONGEST = 40
  const PAGE = 30
  const MONTHS = ['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October',
    'November', 'December']

  const at = id => document.getElementById(id)
  const make = (tag, words, attributes = {}) => {
    const element = document.createElement(tag)
    if (words !== undefined) element.textContent = words
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value)
    return element
  }
  const number = count => count.toLocaleString('en-GB')
  const counted = (count, one, many) => `${number(count)} ${count === 1 ? one : many}`

  // ---- words: the same rules as piperoll/describing/search.py

  const wordsOf = text => text.normalize('NFKD').replace(/\p{Mn}/gu, '').toLowerCase().replace(/['’`]/g, '')
    .match(/[a-z0-9]+/g) ?? []

  function telling(words) {
    const found = words.filter(word => !LITTLE.has(word) && word.length >= SHORTEST)
    return found.length ? found : words
  }

  // ---- shards

  const shards = new Map()

  function shard(letters) {
    if (!shards.has(letters)) {
      shards.set(letters, fetch(`search/${letters}.json.gz`).then(async answer => {
        if (answer.status === 404 || answer.status === 403) return { complete: true, bodies: {}, entries: [] }
        if (!answer.ok) throw new Error(`the index answered ${answer.status}`)
        return unpacked(await answer.blob())
      }))
    }
    return shards.get(letters)
  }

  // Some servers say that a .gz is text with an encoding: the browser has then decompressed it already.
  async function unpacked(content) {
    const [first, second] = new Uint8Array(await content.slice(0, 2).arrayBuffer())
    if (first !== 0x1f || second !== 0x8b) return JSON.parse(await content.text())
    return new Response(content.stream().pipeThrough(new DecompressionStream('gzip'))).json()
  }

  async function deepest(token) {
    let letters = token.slice(0, SHORTEST)
    let found = await shard(letters)
    while (!found.complete && letters.length < token.length) {
      letters = token.slice(0, letters.length + 1)
      found = await shard(letters)
    }
    return found
  }

  // ---- matching: each word asked must begin a word of the entry

  const textsOf = ([kind, title, , , also, , spellings]) => [title, ...(kind === 'name' ? spellings : also)]

  function matches(entry, words, whole) {
    const texts = textsOf(entry).map(wordsOf)
    const there = texts.flat()
    return words.every(word => there.some(one => one.startsWith(word)))
      || texts.some(text => text.join('').startsWith(whole))
  }

  async function find(text) {
    const words = wordsOf(text)
    const whole = words.join('').slice(0, LONGEST)
    const asked = telling(words)
    const tokens = [...new Set([...asked, whole])].filter(token => token.length >= SHORTEST)
    const [fixed, ...found] = await Promise.all([shard('-fixed'), ...tokens.map(deepest)])
    const entries = new Map()
    const bodies = {}
    for (const one of tokens.length ? [fixed, ...found] : []) {
      Object.assign(bodies, one.bodies)
      for (const entry of one.entries) {
        const key = `${entry[0]} ${entry[1]} ${entry[0] === 'name' ? '' : entry[3]}`
        if (matches(entry, asked, whole)) entries.set(key, entry)
      }
    }
    const rank = ['body', 'dataset', 'measure', 'field', 'name']
    const order = [...entries.values()].sort((one, other) => rank.indexOf(one[0]) - rank.indexOf(other[0]))
    return { entries: order, bodies, complete: found.some(one => one.complete), asked: tokens.length > 0 }
  }

  // ---- the page

  const KINDS = { body: 'Public body', dataset: 'Dataset', measure: 'Measure', field: 'Field', name: 'Named in the tables' }

  function period(text) {
    const part = /^(\d{4})-(\d\d|Q[1-4])(?:-(\d\d)|--(\d{4})-(\d\d)(?!\d))?(?:--(.+))?$/.exec(text)
    if (!part) return text
    const [, year, second, day, endYear, endMonth, file] = part
    const month = n => MONTHS[n - 1]
    let words
    if (second[0] === 'Q') words = `${month(3 * second[1] - 2)} to ${month(3 * second[1])} ${year}`
    else if (day) words = `${Number(day)} ${month(Number(second))} ${year}`
    else if (endYear) words = `${month(Number(second))}${year === endYear ? '' : ` ${year}`} to ${month(Number(endMonth))} ${endYear}`
    else if (Number(second) >= 1 && Number(second) <= 12) words = `${month(Number(second))} ${year}`
    else words = `April ${year} to March ${Number(year) + 1}`
    return file ? `${words} (${file})` : words
  }

  function written(entry, bodies) {
    const item = make('li')
    const [kind, title, detail, last] = entry
    item.append(make('span', KINDS[kind], { class: 'quiet small kind' }))
    if (kind !== 'name') {
      const line = make('p', undefined, { class: 'found' })
      line.append(make('a', title, { href: last }))
      item.append(line, make('p', detail, { class: 'small' }))
      return item
    }
    const line = make('p', entry[5] ? undefined : title, { class: 'found' })
    if (entry[5]) line.append(make('a', title, { href: entry[5] }))
    item.append(line)
    if (entry[6].length) item.append(make('p', `Also written ${entry[6].join('; ')}`, { class: 'small' }))
    item.append(make('p', `${counted(last, 'row', 'rows')} of ${counted(detail, 'body', 'bodies')}`, { class: 'small quiet' }))
    const list = make('ul', undefined, { class: 'small' })
    for (const [slug, series] of entry[4]) {
      const line = make('li')
      line.append(make('a', bodies[slug] ?? slug, { href: `bodies/${encodeURIComponent(slug)}.html` }), ': ')
      series.forEach(([name, rows, spelling], n) => {
        const [dataset, , when] = name.split('/')
        const address = `series/${name.split('/').map(encodeURIComponent).join('/')}.html`
        const asked = `?${encodeURIComponent(datasets[dataset].search)}=${encodeURIComponent(`is.${spelling ?? title}`)}#rows`
        const words = `${datasets[dataset].title}, ${period(when)}: ${counted(rows, 'row', 'rows')}`
        if (n) line.append('; ')
        line.append(make('a', words, { href: address + asked }))
      })
      list.append(line)
    }
    if (detail > entry[4].length) list.append(make('li', `and ${counted(detail - entry[4].length, 'other body', 'other bodies')}`))
    item.append(list)
    return item
  }

  let turn = 0
  let most = PAGE

  async function show(text) {
    const mine = ++turn
    const status = at('search-status')
    try {
      const { entries, bodies, complete, asked } = await find(text)
      if (mine !== turn) return
      at('found').replaceChildren(...entries.slice(0, most).map(entry => written(entry, bodies)))
      at('more').hidden = entries.length <= most
      if (!asked) status.textContent = text.trim() ? 'Type at least two letters.' : ''
      else if (!entries.length) status.textContent = `There are no results for “${text}”. Try fewer or shorter words.`
      else status.textContent = complete
        ? `${counted(entries.length, 'result', 'results')} for “${text}”.`
        : `The ${number(entries.length)} most common results for “${text}”. Add a word to see others.`
    } catch {
      if (mine === turn) status.textContent = 'The index could not be read. You can use the lists below instead.'
    }
  }

  at('needs-script').hidden = true
  const input = at('q')
  at('more').addEventListener('click', async () => {
    const before = most
    most += PAGE
    await show(input.value)
    at('found').children[before]?.querySelector('a')?.focus()
  })
  let soon = 0
  const look = () => {
    most = PAGE
    history.replaceState(null, '', input.value ? `?q=${encodeURIComponent(input.value)}` : location.pathname)
    return show(input.value)
  }
  input.addEventListener('input', () => { clearTimeout(soon); soon = setTimeout(look, 150) })
  at('search-form').addEventListener('submit', event => { event.preventDefault(); clearTimeout(soon); look() })
  const first = new URLSearchParams(location.search).get('q')
  if (first) { input.value = first; show(first) }
})()
