/** The web app: a chat in the browser, on the public SDK alone. */
import { render } from 'preact'
import { App } from './shell/app.js'
import { showBrand } from './state/brand.js'
import { startRouting } from './state/router.js'
import { startSession } from './state/session.js'
import { startTheme } from './state/theme.js'
import { startTitle } from './state/title.js'
import { startTexts } from './text/text.js'

showBrand()
startTheme()
startRouting()
// The texts first: what is shown in the wrong language would jump.
await startTexts()
startSession()
startTitle()
render(<App />, document.getElementById('app')!)
// Nobody waits for it; a browser that cannot load it now does so the next time.
import('./state/worker.js').then(
  ({ startWorker }) => startWorker(),
  () => {},
)
