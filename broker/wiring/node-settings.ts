/** What the nodes of a deployment compare of their configurations, without telling it: digests made with the secret that they share. */
import { createHmac } from 'node:crypto'
import { hostname } from 'node:os'
import type { Config } from '../../schemas/config.js'

/** What users meet on every node alike. */
export const SHARED_SECTIONS = [
  ...['auth', 'acl', 'rooms', 'limits', 'history', 'presence', 'receipts', 'notifications', 'devices', 'moderation'],
  ...['policies', 'audit', 'webhooks', 'webhookDelivery', 'server', 'web', 'media'],
] as (keyof Config)[]
/** What is of one node, or is compared otherwise. */
export const OWN_SECTIONS: (keyof Config)[] = ['node', 'listen', 'store', 'search', 'log']
/** Bytes of a digest: enough to differ. */
const LENGTH = 6

export function nodeName({ id }: Config['node']): string {
  return id === 'auto' ? `${hostname()}-${process.pid}` : id
}

export function secretFingerprint({ jwt }: Config['auth']): string {
  return fingerprintOf(jwt.secret!)
}

export function fingerprintOf(secret: string): string {
  return createHmac('sha256', secret).update('topictalk-deployment').digest('base64url')
}

/** By the first two levels of the configuration's keys. */
export function settingDigests(config: Config): Record<string, string> {
  const digests: Record<string, string> = {}
  for (const section of SHARED_SECTIONS)
    for (const [key, value] of Object.entries(partsOf(section, config[section])))
      digests[key] = digest(config.auth.jwt.secret!, value)
  return digests
}

function partsOf(name: string, section: unknown): Record<string, unknown> {
  if (Array.isArray(section)) return { [name]: section }
  return Object.fromEntries(Object.entries(section as object).map(([key, value]) => [`${name}.${key}`, value]))
}

function digest(secret: string, value: unknown): string {
  return createHmac('sha256', secret).update(JSON.stringify(value)).digest().toString('base64url', 0, LENGTH)
}
