/** The readers: what follows the logs by cursors of its own. */

import { SecretBox } from '../auth/secret-box.js'
import { deriveKey } from '../auth/tokens.js'
import { countPersons } from '../chat/wiring/shared.js'
import { ReaderRegistry } from '../readers/registry.js'
import { Search } from '../readers/search/search.js'
import { Moderator } from '../readers/webhooks/moderator.js'
import { Poster } from '../readers/webhooks/poster.js'
import { Webhooks, type WebhooksDeps } from '../readers/webhooks/webhooks.js'
import type { Jobs } from '../store/jobs.js'
import type { Store } from '../store/store.js'
import type { Context } from './context.js'

/** Names the key of the secrets of webhooks, among those derived from the broker's secret. */
const WEBHOOKS_KEY = 'topictalk-webhooks'

export interface Readers {
  readonly registry: ReaderRegistry
  readonly webhooks: Webhooks
  /** The outside server that is asked before a message is written; null: none is configured. */
  readonly moderator: Moderator | null
  /** Null: `search.enabled` is off. */
  readonly search: Search | null
}

/** Before the first append, so that none is missed. `indexFile`: path of the search index. */
export async function openReaders(context: Context, store: Store, jobs: Jobs, indexFile: string): Promise<Readers> {
  const { config, wheel, counters, failed, teardown } = context
  const registry = new ReaderRegistry({ store, wheel, failed })
  teardown.add(registry)
  const poster = new Poster(config.webhookDelivery.privateAddresses)
  teardown.add(poster)
  teardown.add(jobs)
  const webhooks = await openWebhooks(context, { store, registry, jobs, poster })
  const moderator = Moderator.of(config, counters, failed)
  if (moderator) teardown.add(moderator)
  const search = config.search.enabled ? makeSearch(context, store, indexFile) : null
  if (search) {
    teardown.add(search)
    registry.register(search)
  }
  await registry.forgetUnwanted()
  return { registry, webhooks, moderator, search }
}

async function openWebhooks(
  { config, wheel, counters, failed, refusals }: Context,
  deps: Pick<WebhooksDeps, 'store' | 'registry' | 'jobs' | 'poster'>,
): Promise<Webhooks> {
  const secretBox = new SecretBox(await deriveKey(config.auth.jwt, config.node.dataDir, WEBHOOKS_KEY))
  const note = refusals.note.bind(refusals)
  return Webhooks.open({ ...deps, wheel, counters, failed, note, secretBox, config })
}

function makeSearch({ config, log, failed }: Context, store: Store, path: string): Search {
  return new Search({
    store,
    path,
    share: config.search.share,
    failed,
    accountOf: countPersons(store.directory, config).accountOf,
    notice: (message, facts) => log.warn(facts, message),
  })
}
