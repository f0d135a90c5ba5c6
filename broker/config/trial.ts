/** What `serve` would find, without serving: files that are named are read, and addresses tried. */
import { type Config, ConfigError } from '../../schemas/config.js'
import { loadHooks } from '../auth/hooks.js'
import { loadTokenKeys } from '../auth/tokens.js'
import { listenTcp } from '../net/tcp.js'
import { clientCertificates, tryTls } from '../net/tls.js'

/** HS256 wants a key as long as its hash [RFC 7518, 3.2]. */
const SECRET_BYTES = 32

/**
 * Tries all of it, so that all faults are found at once.
 *
 * @throws ConfigError with a line for each fault.
 */
export async function tryConfig(config: Config): Promise<void> {
  const { listen, auth, node } = config
  const trials: (() => Promise<unknown>)[] = [
    () => tryAddress(listen.host),
    () => loadHooks(auth.hooks, { timeout: auth.hooksTimeout }),
    // With no secret configured, the data directory has one, or gets it at the first start.
    async () =>
      auth.jwt.publicKey === null ? null : loadTokenKeys({ ...auth.jwt, secret: 'not looked at here' }, node.dataDir),
  ]
  const secured = { tls: listen.tls, clientCertificates: clientCertificates(auth.x509) }
  for (const name of ['mqtts', 'https'] as const) if (listen[name] !== null) trials.push(() => tryTls(name, secured))
  const faults = new Set<string>()
  for (const trial of trials) await trial().catch((error: Error) => faults.add(error.message))
  if (faults.size > 0) throw new ConfigError([...faults].flatMap((fault) => fault.split('\n')))
}

/** Any free port: those that are configured may be taken, by the broker that runs on this very configuration. */
async function tryAddress(host: string): Promise<void> {
  const listener = await listenTcp({ host, port: 0 }, () => {})
  await listener.close()
}

/** What works, and should not stay as it is. */
export function configWarnings({ auth }: Config): string[] {
  const { secret } = auth.jwt
  const warnings: string[] = []
  if (secret !== null && Buffer.byteLength(secret) < SECRET_BYTES)
    warnings.push(
      `auth.jwt.secret: shorter than ${SECRET_BYTES} bytes: tokens signed with it can be forged by guessing it`,
    )
  return warnings
}
