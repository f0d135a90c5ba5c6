/** Chromium, for tests of what only a browser does: Debian's package, driven by Playwright. */
import { access } from 'node:fs/promises'
import { type Browser, chromium } from 'playwright-core'
import type { Test } from 'tap'

const PROGRAM = process.env['CHROMIUM'] ?? '/usr/bin/chromium'

/** It beeps. */
const FAKE_MICROPHONE = '--use-fake-device-for-media-stream'

/** Closed with the test. `CHROMIUM` in the environment names another one. */
export async function startChromium(t: Test): Promise<Browser> {
  await access(PROGRAM).catch((cause) => {
    throw new Error(`${PROGRAM} is not there: install the package chromium, or name another in CHROMIUM`, { cause })
  })
  const browser = await chromium.launch({ executablePath: PROGRAM, args: [FAKE_MICROPHONE] })
  t.teardown(() => browser.close())
  return browser
}
