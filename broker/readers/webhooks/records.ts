/** What webhooks there are: those of the configuration and those made by commands, with secrets that are sealed at rest. */
import { randomBytes } from 'node:crypto'
import type { WebhookConfig } from '../../../schemas/config.js'
import { SYSTEM } from '../../../schemas/ids.js'
import type { SecretBox } from '../../auth/secret-box.js'
import type { WebhookRecord } from '../../store/outbox.js'

/** How long the secret before signs beside a new one, in ms. */
export const ROTATION_MS = 86_400_000

export function newWebhookId(): string {
  return randomBytes(9).toString('base64url').replace(/^[-_]/, 'w')
}

/** An entry of the configuration. One that was switched off stays so, unless it leads elsewhere now. */
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

/** The secrets that sign for a webhook now; none where they cannot be opened. */
export function secretsOf(record: WebhookRecord, config: readonly WebhookConfig[], secretBox: SecretBox): string[] {
  if (record.source === 'config') {
    const { secret, previousSecret } = config.find(({ id }) => id === record.id)!
    return previousSecret === undefined ? [secret] : [secret, previousSecret]
  }
  const { secret, previous } = record
  const sealed = [secret, previous && previous.until > Date.now() ? previous.secret : null]
  return sealed.flatMap((one) => (one === null ? [] : (secretBox.open(one) ?? [])))
}
