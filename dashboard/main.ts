/** Starts the page. */
import { render } from 'preact'
import { App } from './app.ts'
import { watchServer } from './api/connection.ts'
import { followAddress } from './ui/address.ts'
import { html } from './ui/html.ts'
import { startTheme } from './ui/theme.ts'

const root = document.querySelector('#app')
if (root === null) throw new Error('The page has no place for the dashboard.')

startTheme()
followAddress()
void watchServer()
render(html`<${App} />`, root)
