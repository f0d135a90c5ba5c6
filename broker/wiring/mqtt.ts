/** MQTT: the Aedes broker, and what its connections work with. */

import type { Chat } from '../chat/chat.js'
import { countPersons } from '../chat/wiring/shared.js'
import { Backlogs } from '../following/backlog.js'
import type { SubscriberServices } from '../following/services.js'
import type { Hub } from '../hub.js'
import { Admission } from '../mqtt/admission.js'
import { Broker } from '../mqtt/aedes.js'
import { AnonymousSessions } from '../mqtt/anonymous-sessions.js'
import { Claims } from '../mqtt/claims.js'
import { Registry } from '../mqtt/registry.js'
import type { MqttServices } from '../mqtt/services.js'
import { SessionWriter } from '../mqtt/session-writer.js'
import { claimOfGroup } from '../mqtt/shared/group-name.js'
import { SharedSubscriptions } from '../mqtt/shared/groups.js'
import { UnservedSessions } from '../mqtt/unserved-sessions.js'
import { Flusher } from '../mqtt/write-buffer.js'
import type { Nodes } from '../store/nodes.js'
import type { Store } from '../store/store.js'
import { FaultLog } from '../util/fault-log.js'
import type { Context } from './context.js'
import type { LoginServices } from './logins.js'

export interface Mqtt {
  readonly broker: Broker
  readonly registry: Registry
  readonly unserved: UnservedSessions
  readonly sessionWriter: SessionWriter
  readonly flusher: Flusher
  /** What every subscriber works with, event streams over HTTP too. */
  readonly subscribing: SubscriberServices
}

export interface MqttDeps {
  readonly store: Store
  readonly nodes: Nodes
  readonly hub: Hub
  readonly logins: LoginServices
  readonly chat: Chat
}

export async function makeMqtt(context: Context, { store, nodes, hub, logins, chat }: MqttDeps): Promise<Mqtt> {
  const { config, counters, failed, log, wheel, refusals } = context
  const { limits } = config
  const sessionWriter = new SessionWriter(store, failed)
  const anonymousSessions = new AnonymousSessions(limits)
  await anonymousSessions.load(store.sessions)
  const backlogs = new Backlogs(limits)
  const subscribing = { hub, store, counters, views: chat.views, limits, backlogs, delivered: chat.delivered }
  const couldReceive = chat.access.couldReceive.bind(chat.access)
  const { accountOf: personBehind, namesCountedWith: namesOf } = countPersons(store.directory, config)
  const claims = nodes.shared ? new Claims({ store, nodes, wheel, failed }) : null
  const isWanted = (group: string): boolean => claims?.isWanted(claimOfGroup(group)) ?? false
  const among = claims && { claims, wheel, onGone: (told: () => void) => nodes.onGone(told) }
  const shares = new SharedSubscriptions({ ...subscribing, couldReceive, isWanted }, sessionWriter, failed, among)
  await shares.load()
  const registry = new Registry({
    ...{ hub, store, sessionWriter, shares, claims, anonymousSessions },
    ...{ personBehind, namesOf, failed },
  })
  const flusher = new Flusher()
  const pluginFaults = new FaultLog(log, 'a plugin failed')
  const services: MqttServices = {
    ...subscribing,
    ...{ sessionWriter, anonymousSessions, shares, registry, flusher, wheel, log, refusals },
    admission: new Admission(),
    claims,
    access: chat.access,
    pipeline: chat.pipeline,
    presence: chat.presence,
    rates: chat.rates,
    countedWith: namesOf,
    limits,
    onRefused: config.auth.onRefused,
    connectTimeout: config.listen.connectTimeout,
    restartGrace: config.presence.restartGrace,
    redirect: config.listen.redirect,
    authenticator: logins.authenticator,
    refusedLogin: logins.refused,
    hooks: logins.hooks,
  }
  const broker = new Broker({
    store,
    pipeline: chat.pipeline,
    plainTopics: chat.plainTopics,
    restartGrace: config.presence.restartGrace,
    pluginFailed: (error) => pluginFaults.report(error),
    services: () => services,
  })
  broker.on('error' as never, failed as never)
  backlogs.slow = (origin, backlog) => broker.clients[origin]?.packets.slowFor(backlog)
  const unserved = new UnservedSessions({
    ...{ store, claims, shares, wills: broker.wills, sessionWriter, counters, failed },
    longest: limits.sessionExpiry,
    isConnected: (session) => broker.clients[session] !== undefined,
  })
  if (nodes.shared) {
    broker.shareSessions(unserved)
    nodes.onGone(() => {
      unserved.settleAbandoned().catch(failed)
      broker.wills.adopt().catch(failed)
    })
  }
  return { broker, registry, unserved, sessionWriter, flusher, subscribing }
}
