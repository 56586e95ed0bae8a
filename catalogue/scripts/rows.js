// Sorts and filters all rows of a release on its page: reads only the parts of the Parquet file that a query needs.
// Without this script, or if the server does not support range requests, the page shows the first rows.
(() => {
  'use strict'

  const settings = document.getElementById('rows-settings')
  if (!settings) return
  const release = JSON.parse(settings.textContent)
  const byName = new Map(release.columns.map(column => [column.name, column]))
  const PAGE = 25
  const HOW = { has: 'contains', is: 'is', not: 'is not', starts: 'begins with', from: 'from', to: 'up to' }

  const at = id => document.getElementById(id)
  const make = (tag, words, attributes = {}) => {
    const element = document.createElement(tag)
    if (words !== undefined) element.textContent = words
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value)
    return element
  }
  const say = words => { at('rows-status').textContent = words }
  const number = count => count.toLocaleString('en-GB')
  // a figure as people write it, exactly: £1,234.50 or 1,207
  const grouped = (cell, unit) => {
    const [, sign, whole, rest] = /^(-?)(\d+)(.*)$/.exec(cell) ?? [null, '', '', cell]
    return `${sign}${unit === 'GBP' ? '£' : ''}${whole.replace(/\B(?=(\d{3})+$)/g, ',')}${rest}`
  }
  const counted = count => count === 1 ? '1 row' : `${number(count)} rows`

  // ---- the query in the address: ?supplier_name=is.Oak&sort=-net_amount&page=2

  function asked() {
    const question = { filters: [], sort: null, down: false, page: 1, whole: false }
    for (const [name, value] of new URLSearchParams(location.search)) {
      const [how] = value.split('.', 1)
      if (name === 'sort' && byName.has(value.replace(/^-/, ''))) {
        question.down = value.startsWith('-')
        question.sort = value.replace(/^-/, '')
      } else if (name === 'page' && /^[1-9]\d{0,8}$/.test(value)) {
        question.page = Number(value)
      } else if (name === 'rows' && value === 'all') {
        question.whole = true
      } else if (byName.has(name) && how in HOW) {
        question.filters.push({ name, how, value: value.slice(how.length + 1) })
      }
    }
    return question
  }

  const isAQuestion = question => question.whole || question.sort || question.filters.length || question.page > 1

  function address(question) {
    const search = new URLSearchParams()
    for (const { name, how, value } of question.filters) search.append(name, `${how}.${value}`)
    if (question.sort) search.append('sort', (question.down ? '-' : '') + question.sort)
    if (question.page > 1) search.append('page', question.page)
    if (![...search.keys()].length) search.append('rows', 'all')
    return `?${search}#rows`
  }

  function ask(question) {
    history.pushState(null, '', address(question))
    return show(question)
  }

  // ---- the file

  class NoParts extends Error {}

  const file = {
    byteLength: release.bytes,
    async slice(start, end = release.bytes) {
      const answer = await fetch(release.parquet, { headers: { Range: `bytes=${start}-${end - 1}` } })
      if (answer.status !== 206) throw new NoParts(`The server answered ${answer.status}: it does not support range requests.`)
      return answer.arrayBuffer()
    },
  }

  let opened = null

  async function open() {
    const reader = await import(release.reader)
    const metadata = await reader.parquetMetadataAsync(file)
    const scales = new Map()
    for (const element of metadata.schema) {
      if (element.converted_type !== 'DECIMAL') continue
      scales.set(element.name, { scale: element.scale ?? 0, least: byName.get(element.name)?.unit === 'GBP' ? 2 : 0 })
      delete element.converted_type // or the reader would return a binary fraction, and pounds must be exact
      delete element.logical_type
    }
    const groups = []
    let start = 0
    for (const group of metadata.row_groups) {
      groups.push({ start, end: start + Number(group.num_rows), columns: new Map() })
      start += Number(group.num_rows)
    }
    return { reader, metadata, scales, groups, rows: start }
  }

  async function pieces(table, group, names) {
    const wanted = names.filter(name => !group.columns.has(name))
    if (wanted.length) {
      const coming = table.reader.parquetReadObjects({
        file,
        metadata: table.metadata,
        columns: wanted,
        rowStart: group.start,
        rowEnd: group.end,
        compressors: { ZSTD: (packed, length) => table.reader.decompress(packed, new Uint8Array(length)) },
        parsers: { dateFromDays: days => new Date(days * 86400000).toISOString().slice(0, 10) },
      })
      for (const name of wanted) {
        group.columns.set(name, coming.then(rows => rows.map(row => text(row[name], table.scales.get(name)))))
      }
    }
    const columns = await Promise.all(names.map(name => group.columns.get(name)))
    return new Map(names.map((name, n) => [name, columns[n]]))
  }

  async function column(table, name) {
    const found = []
    for (const group of table.groups) found.push((await pieces(table, group, [name])).get(name))
    return found.length === 1 ? found[0] : found.flat()
  }

  function text(value, places) {
    if (value === null || value === undefined) return ''
    if (value instanceof Uint8Array) return digits(value, places)
    return String(value)
  }

  // the text of the published CSV: pounds have at least two decimal places, other figures as many as they need
  function digits(bytes, { scale, least }) {
    let whole = 0n
    for (const byte of bytes) whole = whole * 256n + BigInt(byte)
    whole = BigInt.asIntN(bytes.length * 8, whole)
    const sign = whole < 0n ? '-' : ''
    const padded = String(whole < 0n ? -whole : whole).padStart(scale + 1, '0')
    const places = padded.slice(padded.length - scale).replace(/0+$/, '').padEnd(least, '0')
    return `${sign}${padded.slice(0, padded.length - scale)}${places && '.'}${places}`
  }

  // ---- sorting and filtering

  const isFigure = name => ['number', 'integer'].includes(byName.get(name).type)
  const PLACES = 10

  function figure(words) {
    const found = /^\s*([+-]?)£?([\d,]*)(?:\.(\d*))?\s*$/.exec(words)
    if (!found || !(found[2] || found[3])) return null
    const whole = BigInt(found[2].replaceAll(',', '') || '0') * 10n ** BigInt(PLACES)
    const value = whole + BigInt((found[3] ?? '').slice(0, PLACES).padEnd(PLACES, '0'))
    return found[1] === '-' ? -value : value
  }

  function passes({ name, how, value }) {
    const small = value.toLowerCase()
    const same = isFigure(name) && figure(value) !== null ? cell => figure(cell) === figure(value) : cell => cell === value
    if (how === 'is') return same
    if (how === 'not') return cell => !same(cell)
    if (how === 'has') return cell => cell.toLowerCase().includes(small)
    if (how === 'starts') return cell => cell.toLowerCase().startsWith(small)
    if (!isFigure(name)) return how === 'from' ? cell => cell !== '' && cell >= value : cell => cell !== '' && cell <= value
    const bound = figure(value)
    return cell => {
      const found = figure(cell)
      return found !== null && bound !== null && (how === 'from' ? found >= bound : found <= bound)
    }
  }

  async function chosen(table, question) {
    let rows = Array.from({ length: table.rows }, (_, row) => row)
    const alike = new Map() // of several 'is' of one column any must hold: the spellings of one supplier
    for (const filter of question.filters) {
      const key = filter.how === 'is' ? filter.name : filter
      alike.set(key, [...(alike.get(key) ?? []), filter])
    }
    for (const filters of alike.values()) {
      const cells = await column(table, filters[0].name)
      const tests = filters.map(passes)
      rows = rows.filter(row => tests.some(fits => fits(cells[row])))
    }
    if (!question.sort) return rows
    const cells = await column(table, question.sort)
    const keys = isFigure(question.sort) ? cells.map(figure) : cells.map(cell => cell === '' ? null : cell)
    const way = question.down ? -1 : 1
    return rows.sort((one, other) => {
      const [a, b] = [keys[one], keys[other]]
      if (a === b) return one - other
      if (a === null) return 1
      if (b === null) return -1
      return a < b ? -way : way
    })
  }

  // the exact sum of a column over some rows, as text, and how many of them have no figure
  async function sum(table, name, rows) {
    const cells = await column(table, name)
    let [whole, missing] = [0n, 0]
    for (const row of rows) {
      const found = figure(cells[row])
      if (found === null) missing += 1
      else whole += found
    }
    const padded = String(whole < 0n ? -whole : whole).padStart(PLACES + 1, '0')
    const least = byName.get(name).unit === 'GBP' ? 2 : 0
    const places = padded.slice(-PLACES).replace(/0+$/, '').padEnd(least, '0')
    const digits = `${whole < 0n ? '-' : ''}${padded.slice(0, -PLACES)}${places && '.'}${places}`
    return { figure: grouped(digits, byName.get(name).unit), missing }
  }

  async function sums(table, rows) {
    const found = []
    for (const name of release.sums) {
      const { figure, missing } = await sum(table, name, rows)
      if (missing === rows.length) continue
      const without = missing ? ` (${counted(missing)} without a figure)` : ''
      found.push(`${byName.get(name).title}: ${figure}${without}`)
    }
    return found.length ? `Sum of ${found.join('; ')}` : ''
  }

  async function cellsOf(table, rows, names) {
    const found = []
    for (const row of rows) {
      const group = table.groups.find(one => row < one.end)
      const cells = await pieces(table, group, names)
      found.push(names.map(name => cells.get(name)[row - group.start]))
    }
    return found
  }

  // ---- the page

  let turn = 0

  async function show(question) {
    const mine = ++turn
    say('Reading the rows …')
    at('explorer').hidden = false
    at('rows-open').hidden = true
    try {
      opened ??= open()
      const table = await opened
      const rows = await chosen(table, question)
      const pages = Math.max(1, Math.ceil(rows.length / PAGE))
      const page = Math.min(question.page, pages)
      const first = (page - 1) * PAGE
      const names = release.shown
      const cells = await cellsOf(table, rows.slice(first, first + PAGE), names)
      const added = await sums(table, rows)
      if (mine !== turn) return
      at('rows-sum').textContent = added
      write(question, names, cells)
      writeFilters(question)
      writePager(question, page, pages)
      at('rows-save').hidden = !rows.length
      at('rows-save').onclick = () => save(table, rows)
      at('rows-caption').textContent = rows.length
        ? `Rows ${number(first + 1)} to ${number(first + cells.length)} of ${number(rows.length)}`
        : 'No rows match'
      say(rows.length === table.rows ? `All ${counted(rows.length)}.` : `${counted(rows.length)} of ${number(table.rows)} match.`)
    } catch (error) {
      opened = null
      if (mine === turn) fail(error)
    }
  }

  function fail(error) {
    const why = error instanceof NoParts ? error.message : 'The file could not be read.'
    say(`You cannot sort or filter the rows here. ${why} The first rows are shown below. To see all rows, download the table.`)
    at('filters-form').hidden = true
    at('rows-pager').hidden = true
    at('rows-save').hidden = true
    at('rows-sum').textContent = ''
  }

  function write(question, names, cells) {
    const table = at('rows-table')
    const head = make('tr')
    for (const name of names) {
      const sorted = question.sort === name
      const heading = make('th', undefined, { scope: 'col', 'data-field': name, class: isFigure(name) ? 'count' : '' })
      if (sorted) heading.setAttribute('aria-sort', question.down ? 'descending' : 'ascending')
      const button = make('button', byName.get(name).title, { type: 'button', class: 'sort', 'data-sort': name })
      button.onclick = async () => {
        await ask({ ...question, sort: name, down: sorted ? !question.down : isFigure(name), page: 1 })
        table.querySelector(`[data-sort="${name}"]`).focus()
      }
      heading.append(button)
      head.append(heading)
    }
    table.tHead.replaceChildren(head)
    table.tBodies[0].replaceChildren(...cells.map(row => {
      const line = make('tr')
      row.forEach((cell, n) => {
        const isNumber = isFigure(names[n])
        line.append(make('td', isNumber ? grouped(cell, byName.get(names[n]).unit) : cell, isNumber ? { class: 'count' } : {}))
      })
      return line
    }))
  }

  function writeFilters(question) {
    at('filters').replaceChildren(...question.filters.map((filter, n) => {
      const item = make('li')
      const words = `${byName.get(filter.name).title} ${HOW[filter.how]} ${filter.value === '' ? 'empty' : filter.value}`
      const button = make('button', words, { type: 'button', class: 'chip' })
      button.append(make('span', ': remove this filter', { class: 'unseen' }))
      button.onclick = async () => {
        await ask({ ...question, filters: question.filters.filter((_, m) => m !== n), page: 1 })
        at('filter-field').focus()
      }
      item.append(button)
      return item
    }))
  }

  function writePager(question, page, pages) {
    at('rows-pager').hidden = pages < 2
    at('rows-page').textContent = `Page ${number(page)} of ${number(pages)}`
    for (const [id, there, next] of [['rows-before', page > 1, page - 1], ['rows-after', page < pages, page + 1]]) {
      at(id).disabled = !there
      at(id).onclick = () => ask({ ...question, page: next })
    }
  }

  // ---- saving the rows found: every column, as in the published CSV

  async function save(table, rows) {
    say('Making the file …')
    const names = release.columns.map(column => column.name)
    const quoted = cell => /[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell
    const cells = await cellsOf(table, rows, names)
    const lines = [names, ...cells].map(row => `${row.map(quoted).join(',')}\r\n`)
    const link = make('a', undefined, { download: release.name })
    link.href = URL.createObjectURL(new Blob(lines, { type: 'text/csv' }))
    link.click()
    URL.revokeObjectURL(link.href)
    say(`${counted(rows.length)} saved.`)
  }

  // ---- start

  at('needs-script').hidden = true
  const select = at('filter-field')
  for (const { name, title } of release.columns) select.append(make('option', title, { value: name }))
  select.value = release.shown.find(name => name === release.search) ?? release.shown[0]
  for (const [how, words] of Object.entries(HOW)) at('filter-how').append(make('option', words, { value: how }))
  at('filters-form').addEventListener('submit', event => {
    event.preventDefault()
    const filter = { name: select.value, how: at('filter-how').value, value: at('filter-value').value }
    const question = asked()
    ask({ ...question, filters: [...question.filters, filter], page: 1 })
    at('filter-value').value = ''
  })
  at('rows-open').hidden = false
  at('rows-open').addEventListener('click', async () => {
    await ask(asked())
    at('filter-field').focus()
  })
  addEventListener('popstate', () => { if (isAQuestion(asked())) show(asked()) })
  document.addEventListener('click', event => {
    const link = event.target.closest('a[href^="?"]')
    if (!link || event.metaKey || event.ctrlKey || event.shiftKey || event.button) return
    event.preventDefault()
    history.pushState(null, '', link.href)
    show(asked())
    at('rows').focus()
    at('rows').scrollIntoView()
  })
  if (isAQuestion(asked())) show(asked())
})()
