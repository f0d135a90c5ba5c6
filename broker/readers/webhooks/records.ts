/** The records of webhooks, from the configuration or made by commands; secrets are encrypted at rest. */
import { randomBytes } from 'node:crypto'
import type { WebhookConfig } from '../../../schemas/config.js'
import { SYSTEM } from '../../../schemas/ids.js'
import type { SecretBox } from '../../auth/secret-box.js'
import type { WebhookRecord } from '../../store/outbox.js'

/** Ms for which the former secret signs beside a new one. */
export const ROTATION_MS = 86_400_000

export function newWebhookId(): string {
  return randomBytes(9).toString('base64url').replace(/^[-_]/, 'w')
}

/** The record of a configured webhook. A disabled one stays disabled, unless its URL has changed. */
export function configured(
  { id, url, events, rooms, users, direct }: WebhookConfig,
  known: WebhookRecord | undefined,
): WebhookRecord {
  const same = known?.source === 'config' && known.url === url
  return {
    id,
    source: 'config',
    url,
    events,
    rooms: rooms ?? null,
    users: users ?? null,
    direct,
    secret: null,
    previous: null,
    enabled: same ? known.enabled : true,
    why: same ? known.why : null,
    createdBy: SYSTEM,
    createdAt: known?.createdAt ?? Date.now(),
  }
}

/** The current signing secrets of a webhook; empty if they cannot be decrypted. */
export function secretsOf(record: WebhookRecord, config: readonly WebhookConfig[], secretBox: SecretBox): string[] {
  if (record.source === 'config') {
    const { secret, previousSecret } = config.find(({ id }) => id === record.id)!
    return previousSecret === undefined ? [secret] : [secret, previousSecret]
  }
  const { secret, previous } = record
  const sealed = [secret, previous && previous.until > Date.now() ? previous.secret : null]
  return sealed.flatMap((one) => (one === null ? [] : (secretBox.open(one) ?? [])))
}
