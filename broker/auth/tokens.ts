/** JSON Web Tokens: the keys that sign them, checking one, making one. */
import { createPublicKey, createSecretKey, hkdfSync, type KeyObject, randomBytes } from 'node:crypto'
import { link, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  decodeProtectedHeader,
  errors,
  type JWTClaimVerificationOptions,
  type JWTPayload,
  jwtVerify,
  type ProtectedHeaderParameters,
  SignJWT,
} from 'jose'
import { type Config, ConfigError } from '../../schemas/config.js'
import { Refusal } from '../../schemas/errors.js'
import { makeDirectory } from '../util/make-directory.js'
import { algorithmsOf } from './algorithms.js'
import { KnownTokens } from './known-tokens.js'
import type { RemoteKeys } from './remote-keys.js'
import { verifyBySecret } from './secret-tokens.js'

type JwtConfig = Config['auth']['jwt']

export type TokenCheck =
  | {
      readonly ok: true
      readonly user: string
      /** Null: the token has no `roles` claim. */
      readonly roles: readonly string[] | null
      /** Unix ms; null: never. */
      readonly expiresAt: number | null
      /** Unix ms; 0: not stated. */
      readonly issuedAt: number
      /** The refreshable login it belongs to; null: none. */
      readonly login: string | null
    }
  /** `why` is for the log. */
  | { readonly ok: false; readonly why: string }

export class TokenVerifier {
  /** Exactly one key per algorithm, so that a token cannot choose how a key is used. */
  readonly #keys: ReadonlyMap<string, KeyObject>
  readonly #jwt: JwtConfig
  readonly #now: () => number
  readonly #remote: RemoteKeys | null
  readonly #known = new KnownTokens<TokenCheck & { readonly ok: true }>()

  constructor(
    keys: ReadonlyMap<string, KeyObject>,
    jwt: JwtConfig,
    now: () => number = Date.now,
    remote: RemoteKeys | null = null,
  ) {
    this.#keys = keys
    this.#jwt = jwt
    this.#now = now
    this.#remote = remote
  }

  async verify(token: string): Promise<TokenCheck> {
    const known = this.#known.find(token, this.#now())
    if (known) return known
    const header = headerOf(token)
    if (!header) return { ok: false, why: 'this is no token' }
    const check = await (header.kid === LOGIN_KEY
      ? this.#verifyLogin(token, header)
      : this.#verifyOthers(token, header))
    // Not with a key set, which may lose a key at any time.
    if (check.ok && !this.#remote) this.#known.keep(token, check)
    return check
  }

  async #verifyOthers(token: string, header: ProtectedHeaderParameters): Promise<TokenCheck> {
    const alg = textOf(header.alg)
    const key = alg === null ? undefined : await this.#keyOf(alg, textOf(header.kid) ?? undefined)
    if (!key) return { ok: false, why: `no key for tokens signed with ${alg}` }
    const { issuer, audience } = this.#jwt
    const claims = { ...(issuer !== null && { issuer }), ...(audience !== null && { audience }) }
    return checked(async () => this.#read(await this.#claimsOf(token, header, key, claims)), this.#now())
  }

  #claimsOf(
    token: string,
    header: ProtectedHeaderParameters,
    key: KeyObject,
    claims: JWTClaimVerificationOptions = {},
  ): JWTPayload | Promise<JWTPayload> {
    const options = { ...claims, clockTolerance: this.#jwt.leeway, currentDate: new Date(this.#now()) }
    if (key.type === 'secret') return verifyBySecret(token, header, key, options)
    return jwtVerify(token, key, { ...options, algorithms: [header.alg!] }).then(({ payload }) => payload)
  }

  /**
   * For tokens that name a key, the key set comes first. Rejects with a refusal if a set is configured and was never
   * fetched.
   */
  async #keyOf(alg: string, kid: string | undefined): Promise<KeyObject | undefined> {
    const own = this.#keys.get(alg)
    const remote = this.#remote
    if (!remote || alg.startsWith('HS') || (own && kid === undefined)) return own
    const key = (await remote.find(kid, alg)) ?? own
    if (!key && !remote.known)
      throw new Refusal('unavailable', 'the keys of tokens cannot be had right now (auth.jwt.jwks)')
    return key
  }

  /** For tokens of the broker's own logins; the configuration for tokens of other issuers does not apply. */
  async #verifyLogin(token: string, header: ProtectedHeaderParameters): Promise<TokenCheck> {
    const key = this.#keys.get(LOGIN_KEY)
    if (!key) return { ok: false, why: 'this broker signs no tokens' }
    return checked(async () => {
      const payload = await this.#claimsOf(token, header, key)
      const { sub, sid, exp = 0 } = payload
      if (typeof sub !== 'string' || typeof sid !== 'string') return { ok: false, why: 'a token without its login' }
      return { ok: true, user: sub, roles: null, expiresAt: ms(exp), issuedAt: issuedAtOf(payload), login: sid }
    }, this.#now())
  }

  /** Signs an access token of a login. Times are Unix ms. */
  signLogin({ user, login, issuedAt, expiresAt }: LoginClaims): Promise<string> {
    return new SignJWT({ sub: user, sid: login, ...issued(issuedAt), exp: expiresAt / 1000 })
      .setProtectedHeader({ alg: 'HS256', typ: 'JWT', kid: LOGIN_KEY })
      .sign(this.#keys.get(LOGIN_KEY)!)
  }

  #read(payload: JWTPayload): TokenCheck {
    const user = payload[this.#jwt.userClaim]
    if (typeof user !== 'string') return { ok: false, why: `the token has no claim ${this.#jwt.userClaim}` }
    const { roles } = payload
    const expiresAt = payload.exp === undefined ? null : ms(payload.exp)
    const issuedAt = issuedAtOf(payload)
    return { ok: true, user, roles: roles === undefined ? null : textsOf(roles), expiresAt, issuedAt, login: null }
  }
}

/**
 * Turns errors of jose into a result. Clock differences are tolerated at the beginning of a token's validity, not at
 * its end (`now`: Unix ms).
 */
async function checked(check: () => Promise<TokenCheck>, now: number): Promise<TokenCheck> {
  try {
    const outcome = await check()
    if (outcome.ok && outcome.expiresAt !== null && outcome.expiresAt <= now)
      return { ok: false, why: 'token refused: "exp" claim timestamp check failed' }
    return outcome
  } catch (error) {
    if (error instanceof errors.JOSEError) return { ok: false, why: `token refused: ${error.message}` }
    throw error
  }
}

interface LoginClaims {
  readonly user: string
  readonly login: string
  readonly issuedAt: number
  readonly expiresAt: number
}

/** Numeric dates of JWT are seconds, possibly with fractions. */
function ms(seconds: number): number {
  return Math.round(seconds * 1000)
}

/**
 * The time of issue in whole seconds, as all JWT libraries read it, and in ms, to order a token and a logout within the
 * same second. `at`: Unix ms.
 */
function issued(at: number): { iat: number; [ISSUED_MS]: number } {
  return { iat: Math.floor(at / 1000), [ISSUED_MS]: at }
}
const ISSUED_MS = 'iat_ms'

function issuedAtOf(payload: JWTPayload): number {
  const { iat = 0, [ISSUED_MS]: exact } = payload
  return typeof exact === 'number' && Math.floor(exact / 1000) === iat ? exact : ms(iat)
}

/** Names the key of the broker's own logins, in the key map and in the token header. */
const LOGIN_KEY = 'topictalk-login'

/** Whether a text is, or claims to be, a token of this broker's own logins. */
export function isLoginToken(token: string): boolean {
  return headerOf(token)?.kid === LOGIN_KEY
}

/**
 * The key for the broker's own logins. Derived from the secret rather than the secret itself, so that tokens of the two
 * kinds cannot be mistaken for one another.
 */
export async function loadLoginKey(jwt: JwtConfig, dataDir: string): Promise<[string, KeyObject]> {
  return [LOGIN_KEY, await deriveKey(jwt, dataDir, LOGIN_KEY)]
}

/** Derives a key of 256 bits from the broker's secret, for one purpose. */
export async function deriveKey(jwt: JwtConfig, dataDir: string, purpose: string): Promise<KeyObject> {
  const secret = await loadTokenSecret(jwt, dataDir)
  return createSecretKey(Buffer.from(hkdfSync('sha256', secret, '', purpose, 32)))
}

function textsOf(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string' && item !== '') : []
}

const COMPACT_JWS = /^[\w-]+\.[\w-]+\.[\w-]*$/

/** The algorithm a token claims; null: the text is not a signed token. */
export function algorithmOf(text: string): string | null {
  return textOf(headerOf(text)?.alg)
}

/** Token headers are unverified input. */
function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null
}

function headerOf(text: string): ProtectedHeaderParameters | null {
  if (!COMPACT_JWS.test(text)) return null
  try {
    return decodeProtectedHeader(text)
  } catch {
    return null
  }
}

/**
 * The keys of the configuration. If there are none, reads or creates the file `secret` in the data directory. Throws a
 * `ConfigError` if a key cannot be used.
 */
export async function loadTokenKeys(jwt: JwtConfig, dataDir: string): Promise<Map<string, KeyObject>> {
  const keys = new Map<string, KeyObject>()
  if (jwt.publicKey !== null) {
    const key = await readPublicKey(jwt.publicKey)
    const algorithms = algorithmsOf(key, ['RS256'])
    if (algorithms.length === 0) throw new ConfigError([`auth.jwt.publicKey: needs ${KINDS}`])
    for (const alg of algorithms) keys.set(alg, key)
  }
  if (jwt.secret !== null || (jwt.publicKey === null && jwt.jwks === null))
    keys.set('HS256', createSecretKey(await loadTokenSecret(jwt, dataDir)))
  return keys
}

/**
 * The secret that signs tokens: from the configuration, or the file `secret` in the data directory, created (0600) if
 * missing.
 */
export async function loadTokenSecret(jwt: JwtConfig, dataDir: string): Promise<Uint8Array> {
  if (jwt.secret !== null) return Buffer.from(jwt.secret)
  const file = join(dataDir, 'secret')
  const text = (await readIfThere(file)) ?? (await createSecret(dataDir, file))
  const secret = text.trim()
  if (secret.length < 16) throw new ConfigError([`${file}: holds no secret of at least 16 characters`])
  return Buffer.from(secret)
}

async function createSecret(dataDir: string, file: string): Promise<string> {
  makeDirectory(dataDir)
  const draft = `${file}.${process.pid}.${randomBytes(4).toString('hex')}`
  await writeFile(draft, `${randomBytes(32).toString('base64url')}\n`, { mode: 0o600, flag: 'wx', flush: true })
  try {
    // Unlike rename, link never replaces a file made by another process meanwhile; unlike a write, it is never half
    // done.
    await link(draft, file)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  } finally {
    await rm(draft, { force: true })
  }
  return readFile(file, 'utf8')
}

async function readIfThere(file: string): Promise<string | null> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}

const KINDS = 'RSA of at least 2048 bits, EC (P-256, P-384, P-521) or Ed25519'

async function readPublicKey(pemOrPath: string): Promise<KeyObject> {
  const inline = pemOrPath.includes('-----BEGIN')
  const name = inline ? 'auth.jwt.publicKey' : `auth.jwt.publicKey (${pemOrPath})`
  try {
    const pem = inline ? pemOrPath : await readFile(pemOrPath, 'utf8')
    // Node would silently derive the public key.
    if (pem.includes('PRIVATE KEY')) throw new Error('is a private key; the broker needs the public one')
    return createPublicKey(pem)
  } catch (cause) {
    throw new ConfigError([`${name}: ${(cause as Error).message}`])
  }
}

export interface MintOptions {
  roles?: readonly string[]
  /** Seconds; absent: the token never expires. */
  ttl?: number
  issuer?: string | null
  audience?: string | null
  userClaim?: string
  now?: () => number
}

/** Signs a token (HS256) that is valid under this configuration. */
export function mintToken(secret: Uint8Array, user: string, options: MintOptions = {}): Promise<string> {
  const { roles, ttl, issuer, audience, userClaim = 'sub', now = Date.now } = options
  const issuedAt = now()
  const token = new SignJWT({ [userClaim]: user, ...(roles && { roles: [...roles] }), ...issued(issuedAt) })
  token.setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
  if (ttl !== undefined) token.setExpirationTime(Math.floor(issuedAt / 1000) + ttl)
  if (issuer) token.setIssuer(issuer)
  if (audience) token.setAudience(audience)
  return token.sign(secret)
}
