/** Checks a configuration as `serve` would, without serving: reads the named files and tries the addresses. */
import { type Config, ConfigError } from '../../schemas/config.js'
import { loadHooks } from '../auth/hooks.js'
import { loadTokenKeys } from '../auth/tokens.js'
import { listenTcp } from '../net/tcp.js'
import { clientCertificates, tryTls } from '../net/tls.js'
import { readTlsFiles } from '../store/redis/tls-files.js'

/** HS256 needs a key at least as long as its hash [RFC 7518, 3.2]. */
const SECRET_BYTES = 32

/**
 * Tries everything, so that all faults are found at once.
 * @throws ConfigError with a line per fault.
 */
export async function tryConfig(config: Config): Promise<void> {
  const { listen, auth, node, store } = config
  const trials: (() => Promise<unknown>)[] = [
    () => tryAddress(listen.host),
    () => loadHooks(auth.hooks, { timeout: auth.hooksTimeout }),
    // Without a configured secret, the data directory has one, or gets one at the first start.
    async () =>
      auth.jwt.publicKey === null ? null : loadTokenKeys({ ...auth.jwt, secret: 'not looked at here' }, node.dataDir),
  ]
  if (store.driver === 'redis') trials.push(() => readTlsFiles(store.redis.tls))
  const secured = { tls: listen.tls, clientCertificates: clientCertificates(auth.x509) }
  for (const name of ['mqtts', 'https'] as const) if (listen[name] !== null) trials.push(() => tryTls(name, secured))
  const faults = new Set<string>()
  for (const trial of trials) await trial().catch((error: Error) => faults.add(error.message))
  if (faults.size > 0) throw new ConfigError([...faults].flatMap((fault) => fault.split('\n')))
}

/** Uses a free port: the configured ones may be in use by the broker that runs with this configuration. */
async function tryAddress(host: string): Promise<void> {
  const listener = await listenTcp({ host, port: 0 }, () => {})
  await listener.close()
}

/** Warnings about settings that work but should be changed. */
export function configWarnings({ auth }: Config): string[] {
  const { secret } = auth.jwt
  const warnings: string[] = []
  if (secret !== null && Buffer.byteLength(secret) < SECRET_BYTES)
    warnings.push(
      `auth.jwt.secret: shorter than ${SECRET_BYTES} bytes: tokens signed with it can be forged by guessing it`,
    )
  return warnings
}
