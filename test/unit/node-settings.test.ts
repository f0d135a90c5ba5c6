/** What nodes compare of their configurations. */
import t from 'tap'
import { completeConfig } from '../../broker/config/config.js'
import { OWN_SECTIONS, SHARED_SECTIONS, secretFingerprint, settingDigests } from '../../broker/wiring/node-settings.js'
import { ConfigSchema } from '../../schemas/config.js'

const SECRET = 'one secret for all nodes, of 32 characters'
const WEBHOOK = `whsec_${'A'.repeat(32)}`

function configOf(more: Record<string, unknown> = {}) {
  return completeConfig({ auth: { jwt: { secret: SECRET } }, ...more })
}

t.test('each section of the configuration is shared, or a matter of one node', async (t) => {
  t.same([...SHARED_SECTIONS, ...OWN_SECTIONS].sort(), Object.keys(ConfigSchema.properties).sort())
})

t.test('digests differ where settings do', async (t) => {
  const [one, two] = [
    settingDigests(configOf()),
    settingDigests(
      configOf({
        node: { id: 'b' },
        limits: { inflight: 7 },
        rooms: { list: [] },
        webhooks: [{ id: 'w', url: 'http://127.0.0.1:1/', secret: WEBHOOK, events: ['room.*'] }],
      }),
    ),
  ]
  const different = Object.keys(one).filter((key) => one[key] !== two[key])
  t.same(different.sort(), ['limits.inflight', 'rooms.list', 'webhooks'])
  t.notMatch(JSON.stringify(two), WEBHOOK)
})

t.test('they, and the fingerprint, do not tell the secret, nor anything to who does not have it', async (t) => {
  const other = configOf({ auth: { jwt: { secret: `${SECRET}!` } } })
  t.not(secretFingerprint(other.auth), secretFingerprint(configOf().auth))
  t.not(settingDigests(other)['rooms.list'], settingDigests(configOf())['rooms.list'])
})
