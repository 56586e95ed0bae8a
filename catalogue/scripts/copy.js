// A button beside each piece of code that copies it; without this script the code is there to select.
(() => {
  'use strict'

  if (!navigator.clipboard) return
  for (const button of document.querySelectorAll('button[data-copies]')) {
    button.hidden = false
    button.addEventListener('click', async () => {
      const code = document.getElementById(button.dataset.copies)
      const told = button.nextElementSibling
      try {
        await navigator.clipboard.writeText(code.textContent)
        told.textContent = 'Copied'
      } catch {
        told.textContent = 'Your browser does not let us copy: select the lines instead'
      }
    })
  }
})()
