/**
 * Makes the icons of the web app from `client/web/icons/icon.svg`, with Chromium: `node scripts/icons.mjs`. They are committed, so that a build
 * needs no browser.
 */
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { chromium } from 'playwright-core'

const DIRECTORY = join(dirname(dirname(fileURLToPath(import.meta.url))), 'client', 'web', 'icons')
/** By name: pixels, and whether it has no corners of its own, as the system cuts them. */
const ICONS = { 'icon-192': [192, false], 'icon-512': [512, false], 'whole-512': [512, true], 'whole-180': [180, true] }

const source = readFileSync(join(DIRECTORY, 'icon.svg'), 'utf8')
// What systems cut off at most leaves a circle of four fifths.
const whole = source
  .replace('viewBox="0 0 64 64"', 'viewBox="-6 -6 76 76"')
  .replace(/<rect[^>]*>/, '<path d="M-6-6h76v76H-6z" fill="#3457d5"/>')
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium' })
for (const [name, [size, isWhole]] of Object.entries(ICONS)) {
  const page = await browser.newPage({ viewport: { width: size, height: size } })
  await page.setContent(`<style>body{margin:0}svg{display:block;width:100vw}</style>${isWhole ? whole : source}`)
  await page.screenshot({ path: join(DIRECTORY, `${name}.png`), omitBackground: true })
}
await browser.close()
