/** The records of webhooks, from the configuration or made by commands; secrets are encrypted at rest. */
import { randomBytes } from 'node:crypto'
import type { WebhookConfig } from '../../../schemas/config.js'
import { Refusal } from '../../../schemas/errors.js'
import { SYSTEM } from '../../../schemas/ids.js'
import { unknownEvents } from '../../../schemas/webhooks.js'
import type { SecretBox } from '../../auth/secret-box.js'
import type { WebhookRecord } from '../../store/outbox.js'

/** Ms for which the former secret signs beside a new one. */
export const ROTATION_MS = 86_400_000

export function newWebhookId(): string {
  return randomBytes(9).toString('base64url').replace(/^[-_]/, 'w')
}

/**
 * The record of a configured webhook. A disabled one stays disabled, unless its URL has changed. Its secrets are in the record too, so that any node can
 * serve it, whatever that node was configured with when it started.
 */
export function configured(
  { id, url, events, rooms, users, direct, secret, previousSecret }: WebhookConfig,
  known: WebhookRecord | undefined,
  secretBox: SecretBox,
): WebhookRecord {
  // Sealed anew, each time it would be another record.
  const sealed = (text: string, before: string | null | undefined): string =>
    before && secretBox.open(before) === text ? before : secretBox.seal(text)
  const same = known?.source === 'config' && known.url === url
  return {
    id,
    source: 'config',
    url,
    events,
    rooms: rooms ?? null,
    users: users ?? null,
    direct,
    secret: sealed(secret, known?.secret),
    previous:
      previousSecret === undefined ? null : { secret: sealed(previousSecret, known?.previous?.secret), until: null },
    enabled: same ? known.enabled : true,
    why: same ? known.why : null,
    createdBy: SYSTEM,
    createdAt: known?.createdAt ?? Date.now(),
  }
}

/** The current signing secrets of a webhook; empty if they cannot be decrypted. */
export function secretsOf({ secret, previous }: WebhookRecord, secretBox: SecretBox): string[] {
  const isInUse = previous && (previous.until === null || previous.until > Date.now())
  const sealed = [secret, isInUse ? previous.secret : null]
  return sealed.flatMap((one) => (one === null ? [] : (secretBox.open(one) ?? [])))
}

/** @throws Refusal `not_found`. */
export function existing<T>(id: string, found: T | null | undefined): T {
  if (found) return found
  throw new Refusal('not_found', `there is no webhook ${id}`, { field: 'webhook' })
}

/** @throws Refusal `bad_request`. */
export function checkDetails({
  url,
  events,
}: {
  url?: string | undefined
  events?: readonly string[] | undefined
}): void {
  if (url !== undefined) {
    const target = URL.canParse(url) ? new URL(url) : null
    if (!target) throw new Refusal('bad_request', 'expected a URL', { field: 'url' })
    // Credentials in the URL would be stored and shown in plain text.
    if (target.username !== '' || target.password !== '')
      throw new Refusal('bad_request', 'a URL must hold no password; check the signature instead', { field: 'url' })
  }
  const [unknown] = unknownEvents(events ?? [])
  if (unknown !== undefined) throw new Refusal('bad_request', `there is no event ${unknown}`, { field: 'events' })
}
