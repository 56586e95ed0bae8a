// Sorts tables with `data-sortable` in the browser, by any of their columns.
(() => {
  'use strict'

  const figure = cell => {
    if (!cell || cell.querySelector('.none')) return NaN
    const found = /-?£?[\d,]+(\.\d+)?/.exec(cell.innerText)
    return found ? Number(found[0].replace(/[£,]/g, '')) : NaN
  }

  function order(one, other, numeric) {
    if (!numeric) return one.innerText.localeCompare(other.innerText, 'en-GB')
    const [left, right] = [figure(one), figure(other)]
    if (Number.isNaN(left) || Number.isNaN(right)) return Number.isNaN(left) - Number.isNaN(right)
    return right - left
  }

  for (const table of document.querySelectorAll('table[data-sortable]')) {
    const headings = [...table.tHead.rows[0].cells]
    headings.forEach((heading, column) => {
      const numeric = heading.matches('.pounds, .count')
      const button = document.createElement('button')
      button.type = 'button'
      button.className = 'sort'
      button.append(...heading.childNodes)
      heading.append(button)
      button.addEventListener('click', () => {
        const again = heading.ariaSort === (numeric ? 'descending' : 'ascending')
        const rows = [...table.tBodies[0].rows]
        rows.sort((one, other) => order(one.cells[column], other.cells[column], numeric))
        if (again) rows.reverse()
        for (const other of headings) other.removeAttribute('aria-sort')
        heading.ariaSort = (numeric !== again) ? 'descending' : 'ascending'
        table.tBodies[0].append(...rows)
      })
    })
  }
})()
