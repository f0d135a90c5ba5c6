/**
 * Tries what people and the network do to clients of the SDK, with one seed after another. `npm test` has one fixed seed for each file.
 *
 *     npm run test:sdk                       one new seed
 *     npm run test:sdk -- 11 271828          these, one after the other
 *     npm run test:sdk -- --minutes=30       new ones (after those that are given), none of which is begun later
 *     npm run test:sdk -- --store=redis      as for npm test
 *
 * Each run says its seed. Those that failed are named at the end.
 */
import { spawn } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { parseArgs } from 'node:util'

const FILES = ['chat/sdk-sync', 'chat/sdk-events', 'browser/sdk-sync']

const { values, positionals: given } = parseArgs({
  options: { minutes: { type: 'string', default: '0' }, store: { type: 'string' } },
  allowPositionals: true,
})
const minutes = Number(values.minutes)
for (const number of [minutes, ...given.map(Number)])
  if (!Number.isInteger(number) || number < 0) throw new TypeError('seeds and minutes are whole numbers')
const options = values.store ? [`--store=${values.store}`] : []
const end = performance.now() + minutes * 60_000
const failed = []

for (let i = 0; i < Math.max(given.length, 1) || performance.now() < end; i++) {
  const seed = given[i] ?? String(randomInt(2 ** 32))
  console.log(`# SDK_SEED=${seed}`)
  const run = spawn(process.execPath, ['scripts/test.mjs', ...options, ...FILES], {
    env: { ...process.env, SDK_SEED: seed },
    stdio: 'inherit',
  })
  const [code] = await once(run, 'exit')
  if (code !== 0) failed.push(seed)
}
if (failed.length > 0) console.log(`# failed with SDK_SEED=${failed.join(', ')}`)
process.exitCode = failed.length > 0 ? 1 : 0
