/** What the parts of chat are made from, and what all of them share. */
import type { KeyObject } from 'node:crypto'
import type { Config } from '../../../schemas/config.js'
import { createAcl } from '../../auth/acl.js'
import type { Bus } from '../../store/bus.js'
import type { Nodes } from '../../store/nodes.js'
import { accountOf, namesCountedWith, type Ownership } from '../../store/persons.js'
import type { Store } from '../../store/store.js'
import type { TimerWheel } from '../../util/timer-wheel.js'
import type { AccountAdminDeps } from '../commands/accounts.js'
import type { AuthCommandDeps } from '../commands/auth.js'
import type { BotCommandDeps } from '../commands/bots.js'
import type { OidcCommandDeps } from '../commands/oidc.js'
import type { PasswordResetDeps } from '../commands/password-reset.js'
import type { SessionCommandDeps } from '../commands/sessions.js'
import type { AccountRemovalsDeps } from '../erasure/account-removals.js'
import type { TextSearch } from '../history/search.js'
import { PlainTopics } from '../messages/plain-topics.js'
import { RetainedQuota } from '../messages/retained-quota.js'
import type { Screen } from '../messages/screening.js'
import { AskLimits } from '../model/ask-limits.js'
import { Audit } from '../model/audit.js'
import type { DiskSpace } from '../model/disk-space.js'
import type { PublishGate } from '../model/publish-gate.js'
import { Rates } from '../model/rates.js'
import { Replies } from '../model/replies.js'
import type { EndSessions } from '../model/session-endings.js'
import type { Signal } from '../model/signals.js'
import { Views } from '../model/views.js'
import type { WebhookAdmin } from '../model/webhook-admin.js'

/** The sessions that are connected to this node, whatever their transport, as chat asks for them. */
export interface ConnectedSessions {
  /** What hooks say of a publish inside a request. */
  readonly gate: PublishGate
  readonly renewLogin: AuthCommandDeps['renewLogin']
  readonly liveSessions: SessionCommandDeps['liveSessions']
  /** How many logs and topics the live sessions of the person behind a user follow. */
  readonly followedBy: (user: string) => number
  readonly endSessions: AccountRemovalsDeps['endSessions']
  readonly end: EndSessions
  readonly keepLogin: AuthCommandDeps['keepLogin']
}

export interface ChatDeps {
  readonly store: Store
  readonly nodes: Nodes
  readonly bus: Bus<Signal>
  readonly wheel: TimerWheel
  readonly space: DiskSpace
  readonly auth: OidcCommandDeps &
    Pick<AccountAdminDeps, 'managed'> &
    Omit<
      AuthCommandDeps & PasswordResetDeps & SessionCommandDeps & Pick<BotCommandDeps, 'accounts' | 'keys'>,
      'store' | 'end' | 'keepLogin' | 'liveSessions' | 'renewLogin'
    >
  readonly sessions: ConnectedSessions
  /** Removes the bytes of a file whose record is removed. */
  readonly removeBytes: (id: string) => Promise<void>
  /** Signs links to files. */
  readonly linkKey: KeyObject
  readonly failed: (error: unknown) => void
  readonly webhooks: WebhookAdmin
  /** Counts what is left out, by reason. */
  readonly count: (name: string) => void
  /** Asked in this order whether a message may be written, after the filters and policies of the configuration. */
  readonly screens: readonly Screen[]
  /** Null: there is none. */
  readonly textSearch: TextSearch | null
}

export async function makeShared(config: Config, deps: ChatDeps) {
  const { store, bus, sessions, ...others } = deps
  const { renewLogin, keepLogin, liveSessions, followedBy, endSessions, end } = sessions
  const views = new Views(store.directory)
  await views.load(store.log)
  const acl = createAcl(config.acl.rules)
  const persons = countPersons(store.directory, config)
  return {
    ...others,
    ...{ store, bus, renewLogin, keepLogin, liveSessions, followedBy, endSessions, end },
    views,
    acl,
    plainTopics: new PlainTopics(
      store,
      bus,
      acl,
      new RetainedQuota(store.queue, config.limits, persons.namesCountedWith),
    ),
    replies: new Replies(bus),
    ...persons,
    audit: new Audit(store, persons.accountOf),
    rates: new Rates(config.limits.rates, persons.accountOf),
    askLimits: new AskLimits(config.limits.asksPerPair),
    replyBytes: config.limits.replyBytes,
  }
}

/** How limits count by person: the account a user counts as, and all users that count as the same one. */
export function countPersons(directory: Ownership, { limits, devices }: Pick<Config, 'limits' | 'devices'>) {
  const owned = limits.botsPerUser + devices.perUser
  return {
    accountOf: (user: string): string => accountOf(directory, user, owned),
    namesCountedWith: (user: string): ReadonlySet<string> => namesCountedWith(directory, user, owned),
  }
}

export type SharedServices = Awaited<ReturnType<typeof makeShared>>
