/** Puts beside the compiled modules of the dashboard what needs no compiling: the page, its styles and its icon. */
import { cpSync } from 'node:fs'
import path from 'node:path'

const copied = ['', '.html', '.css', '.svg']

cpSync('dashboard', 'dist/dashboard', {
  recursive: true,
  filter: (source) => copied.includes(path.extname(source)),
})
