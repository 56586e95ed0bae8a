// Adds a Copy button to each block of code. Without this script, the code can still be selected.
(() => {
  'use strict'

  if (!navigator.clipboard) return
  for (const button of document.querySelectorAll('button[data-copies]')) {
    button.hidden = false
    button.addEventListener('click', async () => {
      const code = document.getElementById(button.dataset.copies)
      const status = button.nextElementSibling
      try {
        await navigator.clipboard.writeText(code.textContent)
        status.textContent = 'Copied'
      } catch {
        status.textContent = 'Your browser does not allow copying: select the lines instead'
      }
    })
  }
})()
