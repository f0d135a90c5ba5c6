/** The login step for client certificates. */
import { type AuthenticatorDeps, type Identified, refuse } from './login-steps.js'
import { type Credentials, rolesOf } from './principal.js'
import { type CertifiedNames, readCertificate } from './x509.js'

/**
 * A certificate is sufficient by itself. Other credentials presented with it are checked as usual, and must be of the
 * same user.
 */
export async function withCertificate(
  deps: AuthenticatorDeps,
  { username, certificate }: Pick<Credentials, 'username' | 'certificate'>,
  alone: boolean,
  identify: () => Identified | Promise<Identified>,
): Promise<Identified> {
  const shown = readCertificate(deps.x509, certificate)
  if (!shown) return identify()
  if (alone) return byCertificate(deps, shown, username)
  const login = await identify()
  if (!login.ok) return login
  const { principal } = login
  if (!shown.names.includes(principal.user))
    return refuse('not_authorized', `${principal.user} came with a certificate of ${namesIn(shown)}`)
  const expiresAt = Math.min(shown.expiresAt, principal.expiresAt ?? Number.POSITIVE_INFINITY)
  return { ...login, principal: { ...principal, expiresAt } }
}

async function byCertificate(
  { directory, x509, now = Date.now }: AuthenticatorDeps,
  shown: CertifiedNames,
  username: string | undefined,
): Promise<Identified> {
  const [only, ...more] = shown.names
  const user = username || (more.length === 0 ? only : undefined)
  if (user === undefined || !shown.names.includes(user))
    return refuse('bad_credentials', `${JSON.stringify(username)} came with a certificate of ${namesIn(shown)}`)
  const issuedAt = now()
  const { expiresAt } = shown
  if (expiresAt <= issuedAt) return refuse('bad_credentials', `the certificate of ${user} is over`)
  const ofAccount = x509.role === null ? {} : { plus: [x509.role] }
  const roles = rolesOf(ofAccount, (await directory.user(user))?.roles ?? [])
  const principal = { user, roles, ofAccount, anonymous: false, expiresAt, issuedAt, login: null }
  return { ok: true, atFirstSight: true, principal }
}

function namesIn({ names }: CertifiedNames): string {
  return names.join(', ') || 'nobody'
}
