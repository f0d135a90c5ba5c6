/** What clients wrote, in the log: cut, escaped, without secrets, and counted rather than repeated. */
import { PassThrough } from 'node:stream'
import t from 'tap'
import { newCredentialId, newSecret, writeSecret } from '../../broker/auth/secrets.js'
import { mintToken } from '../../broker/auth/tokens.js'
import { openLog } from '../../broker/util/log.js'
import { RefusalLog } from '../../broker/util/refusal-log.js'
import type { Config } from '../../schemas/config.js'

const JSON_LINES: Config['log'] = { level: 'info', format: 'json', output: 'stderr' }

/** A log, and its lines so far. */
function opened(settings: Config['log'] = JSON_LINES) {
  const to = new PassThrough()
  let text = ''
  to.on('data', (chunk) => (text += chunk))
  const log = openLog(settings, to)
  const lines = () => text.split('\n').filter((line) => line !== '')
  return { log, lines, facts: () => lines().map((line) => JSON.parse(line)) }
}

t.test('a text of a client takes a bounded place in the log, whatever it is made of', async (t) => {
  const { log, lines } = opened()
  const long = '\u0001'.repeat(65_535)
  const nested = { deep: { deeper: { deepest: { over: long } } }, list: Array(1000).fill(long) }
  log.info({ user: long, why: JSON.stringify(long), nested, err: new Error(long, { cause: new Error(long) }) }, 'line')
  t.equal(lines().length, 1)
  t.ok(lines()[0]!.length < 60_000, `${lines()[0]!.length} bytes`)
  const { log: plain, lines: short } = opened()
  plain.info({ user: long, why: JSON.stringify(long) }, 'line')
  t.ok(short()[0]!.length < 4000, `${short()[0]!.length} bytes`)
})

t.test('nothing in the log steers the terminal it is read on', async (t) => {
  const { log, facts } = opened()
  log.info({ topic: 'a\u001b[2Jb\u009bc\u202ed\u200be\u2028f\ng' }, 'line')
  t.equal(facts()[0].topic, 'a\\u{1b}[2Jb\\u{9b}c\\u{202e}d\\u{200b}e\\u{2028}f\\u{a}g')
})

t.test('secrets are never shown whole, wherever a client put them', async (t) => {
  const { log, lines } = opened()
  const kinds = ['login', 'key', 'invite', 'reset'] as const
  const ours = kinds.map((kind) => writeSecret(kind, { user: 'alice', id: newCredentialId(), secret: newSecret() }))
  const token = await mintToken(Buffer.from('a secret of tests, long enough for it'), 'alice', { roles: ['admin'] })
  const long = `eyJ${'a'.repeat(900)}.eyJb.c`
  for (const secret of [...ours, token, long]) {
    log.info({ user: secret, why: `"${secret}" is no user`, topics: [`a/${secret}/b`] }, 'line')
    log.info({ err: new Error(`"${secret}"`), [secret]: { [secret]: secret } }, 'line')
    const said = lines().join('\n')
    const proof = secret.slice(-16)
    t.notOk(said.includes(proof) || said.includes(secret.slice(0, 40)), said)
    t.ok(said.includes(secret.slice(0, 8)), 'which one it was can be told')
  }
})

t.test('lines for people are one line each', async (t) => {
  const { log, lines } = opened({ ...JSON_LINES, format: 'pretty' })
  log.info({ user: 'alice', address: '127.0.0.1' }, 'login refused')
  t.match(lines(), [/^\[\d\d:\d\d:\d\d\] INFO: login refused \{"user":"alice","address":"127.0.0.1"\}$/])
})

t.test('what repeats itself is counted, for each origin and kind', async (t) => {
  const { log, facts } = opened()
  const refusals = new RefusalLog(log)
  for (let i = 0; i < 500; i++) refusals.note('login refused', '10.0.0.1', { i })
  refusals.note('login refused', '10.0.0.2', { i: 0 })
  refusals.note('publish refused', '10.0.0.1', { i: 0 })
  t.equal(facts().length, 12)
  refusals.close()
  t.match(facts().slice(12), [{ msg: 'login refused, repeatedly', origin: '10.0.0.1', repeated: 490 }])
})

t.test('who is refused all the time takes no lines of others', async (t) => {
  const { log, facts } = opened()
  const refusals = new RefusalLog(log)
  for (let i = 0; i < 5000; i++) refusals.note('login refused', '10.0.0.1', { i })
  refusals.note('login refused', '10.0.0.2', { from: 'elsewhere' })
  t.match(facts().at(-1), { msg: 'login refused', from: 'elsewhere' })
  refusals.close()
  t.match(facts().slice(11), [{ origin: '10.0.0.1', repeated: 4990 }])
})

t.test('however many origins there are, a kind has a bounded number of lines', async (t) => {
  const { log, facts } = opened()
  const refusals = new RefusalLog(log)
  for (let i = 0; i < 30_000; i++) refusals.note('login refused', `10.0.${i >> 8}.${i & 255}`, { i })
  t.equal(facts().length, 1000)
  refusals.close()
  t.match(facts().at(-1), { repeated: 29_000 })
})
