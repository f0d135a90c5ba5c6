/** `config check` finds what `serve` would. */
import { dirname, join } from 'node:path'
import t, { type Test } from 'tap'
import { type Config, ConfigError, completeConfig } from '../../broker/config/config.js'
import { configWarnings, tryConfig } from '../../broker/config/trial.js'
import { certificateFiles } from '../helpers/certificate.js'

async function faultsOf(t: Test, raw: object): Promise<readonly string[]> {
  try {
    await tryConfig(completeConfig(raw, { cwd: t.testdirName }))
  } catch (error) {
    if (error instanceof ConfigError) return error.faults
    throw error
  }
  return []
}

t.test('what stops the broker at its start stops the check', async (t) => {
  const { cert, key } = certificateFiles(t, {
    'hooks.mjs': 'export const authorise = () => true',
    'not.pem': 'no certificate',
  })
  const dir = dirname(cert)
  const cases: [string, object, RegExp[]][] = [
    [
      'a rule that speaks of nobody',
      { acl: { rules: [{ allow: 'all', who: 'bob', topics: ['#'] }] } },
      [/^acl\.rules\[0\]\.who: expected any, /],
    ],
    [
      'hooks that are not there',
      { auth: { hooks: './nothere.mjs' } },
      [/^auth\.hooks: .*nothere\.mjs cannot be loaded/],
    ],
    [
      'certificates for Redis that are not there',
      {
        store: { driver: 'redis', redis: { url: 'rediss://10.0.0.1', tls: { ca: 'nope.pem' } } },
        auth: { jwt: { secret: 'one that all nodes have' } },
      },
      [/^store\.redis\.tls\.ca: cannot be read: .*nope\.pem/],
    ],
    ['hooks of another name', { auth: { hooks: join(dir, 'hooks.mjs') } }, [/unknown export authorise/]],
    [
      'certificates that are not there',
      { listen: { mqtts: 0, tls: { cert: 'nope.pem', key } } },
      [/^listen\.tls\.cert: cannot read .*nope\.pem: there is no such file/],
    ],
    [
      'certificates that are none',
      { listen: { https: 0, tls: { cert: join(dir, 'not.pem'), key } } },
      [/^listen\.tls: the certificate and key cannot be used/],
    ],
    ['an address of nobody', { listen: { host: '999.1.1.1' } }, [/^listen\.host: 999\.1\.1\.1 is not an address/]],
    ['a key that cannot be read', { auth: { jwt: { publicKey: 'nope.pem' } } }, [/nope\.pem/]],
    ['tokens that are over at once', { auth: { tokenTtl: 0 } }, [/^auth\.tokenTtl: expected more than 0/]],
    [
      'no door at all',
      { listen: { mqtt: null, http: null } },
      [/^listen: needs a port: one of mqtt, http, mqtts, https/],
    ],
    [
      'a figure in a section of its own',
      { limits: { rates: { publish: 'fast' } } },
      [/^limits\.rates\.publish: expected a number/],
    ],
    [
      'all of it at once',
      { listen: { host: '999.1.1.1' }, auth: { hooks: 'nope.mjs' } },
      [/^listen\.host/, /^auth\.hooks/],
    ],
  ]
  for (const [what, raw, expected] of cases) {
    const faults = await faultsOf(t, raw)
    t.match(faults, expected, what)
    t.equal(faults.length, expected.length, what)
  }
  t.strictSame(await faultsOf(t, { listen: { mqtts: 0, tls: { cert, key } } }), [])
})

t.test('a secret that can be guessed is warned of', async (t) => {
  const warnings = (secret: string | null) => configWarnings(completeConfig({ auth: { jwt: { secret } } }) as Config)
  t.match(warnings('x'), [/^auth\.jwt\.secret: shorter than 32 bytes/])
  t.strictSame(warnings('x'.repeat(32)), [])
  t.strictSame(warnings(null), [])
})
