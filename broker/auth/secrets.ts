/**
 * Format of the secrets issued by the broker, which stores only their hashes: refresh tokens, API keys, invitations,
 * password resets.
 */
import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { isAccountName } from '../../schemas/ids.js'
import type { CredentialKind } from '../store/credentials.js'

/** Prefixes let people, and scanners for leaked secrets, recognise what they have found. */
const PREFIXES: Readonly<Record<CredentialKind, string>> = {
  login: 'ttr',
  key: 'ttk',
  invite: 'tti',
  reset: 'ttp',
}

/** The parts of a secret: user, id of the credential, and the secret part. */
export interface ShownSecret {
  readonly user: string
  readonly id: string
  readonly secret: string
}

export function newCredentialId(): string {
  return randomBytes(12).toString('base64url')
}

/** Unique, and no secret. Node keeps random bytes for UUIDs, so that ten thousand clients that log in for the first time do not wait for as many system calls. */
export function newAccountId(): string {
  return Buffer.from(randomUUID().replaceAll('-', ''), 'hex').toString('base64url', 0, 12)
}

export function newSecret(): string {
  return randomBytes(32).toString('base64url')
}

/** 256 random bits cannot be guessed, so a fast hash is sufficient. */
export function hashSecret(secret: string): string {
  return createHash('sha256').update(secret).digest('base64url')
}

export function writeSecret(kind: CredentialKind, { user, id, secret }: ShownSecret): string {
  return [PREFIXES[kind], Buffer.from(user).toString('base64url'), id, secret].join('.')
}

/** Null: the text is not a well-formed secret of that kind. */
export function readSecret(kind: CredentialKind, text: string): ShownSecret | null {
  const [, name, id, secret, ...more] = text.split('.')
  if (!name || !id || !secret || more.length > 0) return null
  const shown = { user: Buffer.from(name, 'base64url').toString(), id, secret }
  return isAccountName(shown.user) && writeSecret(kind, shown) === text ? shown : null
}

const SECRET = new RegExp(`^(${Object.values(PREFIXES).join('|')})\\.[^.]+\\.[^.]+\\.[^.]+$`, 'i')

/** Whether a text is, or looks like, any secret of this broker, which must not be forwarded or logged. */
export function isSecret(text: string): boolean {
  return SECRET.test(text.trim())
}
