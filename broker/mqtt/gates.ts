/**
 * The gates in front of our own checks: the hooks that a plugin sets on the Aedes broker, and those of `auth.hooks`. They can only narrow what
 * TopicTalk allows: what they let pass is checked like everything else.
 */
import { asRefusal, Refusal } from '../../schemas/errors.js'
import type { HookRunner } from '../auth/hooks.js'
import { REFUSED_BY_HOOK, sameRoles } from '../auth/principal.js'
import type { Actor } from '../chat/model/actor.js'
import { caughtUp } from '../chat/model/up-to-date.js'
import type { QoS } from '../store/qos.js'
import type { Store } from '../store/store.js'
import type { ConnectPacket, RequestedSubscription } from './codec/packets.js'
import { Reason } from './codec/reason-codes.js'
import { ConnectRefused } from './connect-refused.js'
import type { Forward } from './delivery-guard.js'
import { askPlugin, type PluginFailed } from './plugin-calls.js'

/** The client that a hook is shown. */
export interface HookClient {
  id: string
}

type Hook = (...args: never[]) => void

/** The properties of the Aedes broker that plugins set. */
export interface AedesHooks {
  readonly preConnect: Hook
  readonly authenticate: Hook
  readonly authorizePublish: Hook
  readonly authorizeSubscribe: Hook
  readonly authorizeForward: Hook
  /** A packet of the class that plugins get. */
  toPacket(message: object): object
}

type HookName = Exclude<keyof AedesHooks, 'toPacket'>

interface GatedMessage {
  topic: string
  payload: Buffer
  qos: QoS
}

/** A function gives them, because the services are made after the broker. */
export interface GateServices {
  /** Those of `auth.hooks`. */
  readonly hooks: HookRunner
  readonly store: Pick<Store, 'catchUp'>
}

export class Gates {
  readonly #aedes: AedesHooks
  readonly #services: () => GateServices
  readonly #pluginFailed: PluginFailed
  /** What Aedes itself installed: it stands for "nobody set a hook". */
  readonly #defaults: Readonly<Record<HookName, Hook>>

  /** Must be constructed before a plugin can set a hook. */
  constructor(aedes: AedesHooks, services: () => GateServices, pluginFailed: PluginFailed) {
    this.#aedes = aedes
    this.#pluginFailed = pluginFailed
    this.#services = services
    const { preConnect, authenticate, authorizePublish, authorizeSubscribe, authorizeForward } = aedes
    this.#defaults = { preConnect, authenticate, authorizePublish, authorizeSubscribe, authorizeForward }
  }

  #ask<T>(hook: Parameters<typeof askPlugin<T>>[0]): Promise<T | undefined> {
    return askPlugin(hook, this.#pluginFailed)
  }

  #isSet(name: HookName): boolean {
    return this.#aedes[name] !== this.#defaults[name]
  }

  /** The hook may change the packet, which has not been checked yet. */
  async preConnect(client: HookClient, packet: ConnectPacket): Promise<ConnectPacket> {
    if (!this.#isSet('preConnect')) return packet
    const shown = { ...packet, cmd: 'connect', protocolVersion: packet.version }
    const allowed = await this.#ask<boolean>((done) =>
      this.#aedes.preConnect(client as never, shown as never, done as never),
    ).catch((error: Error) => error)
    if (allowed === true) return shown
    const why = allowed instanceof Error ? `: ${allowed.message}` : ''
    const reasonString = 'not authorized'
    throw new ConnectRefused(5, Reason.notAuthorized, `refused by the preConnect hook${why}`, { reasonString })
  }

  /** `id`: the session id the client would have, or has. */
  async authenticate(
    client: HookClient,
    { username, password }: Pick<ConnectPacket, 'username' | 'password'>,
    id: string,
  ): Promise<void> {
    if (!this.#isSet('authenticate')) return
    const before = client.id
    client.id = id
    let allowed: unknown = false
    let code = 5
    try {
      allowed = await this.#authenticate(client, username, password)
    } catch (error) {
      const given = (error as { returnCode?: number }).returnCode
      if (given && given >= 2 && given <= 5) code = given
    } finally {
      client.id = before
    }
    if (allowed) return
    const reasonString = 'not authorized'
    throw new ConnectRefused(code, Reason.notAuthorized, REFUSED_BY_HOOK, { reasonString })
  }

  /** For logins over HTTP: the hook gets no client. A hook that fails without one refuses the login. */
  async mayLogIn(username: string, password: Buffer | undefined): Promise<boolean> {
    if (!this.#isSet('authenticate')) return true
    try {
      return Boolean(await this.#authenticate(null, username, password))
    } catch {
      return false
    }
  }

  #authenticate(
    client: HookClient | null,
    username: string | undefined,
    password: Buffer | undefined,
  ): Promise<unknown> {
    return this.#ask((done) =>
      this.#aedes.authenticate(client as never, username as never, password as never, done as never),
    )
  }

  /** Null: no hook is set. */
  publish(client: HookClient, actor: Actor, message: GatedMessage): Promise<Refusal | null> | null {
    if (!this.#isSet('authorizePublish') && !this.#services().hooks.authorizePublish) return null
    return this.publishFor(client, actor, message)
  }

  /** The Aedes hook may change topic and payload of `message`; what it leaves is checked like everything else. */
  async publishFor(client: HookClient | null, actor: Actor, message: GatedMessage): Promise<Refusal | null> {
    const refusal = await this.#authorizePublish(client, message)
    if (refusal) return refusal
    const { authorizePublish } = this.#services().hooks
    if (!authorizePublish) return null
    const { topic, payload } = message
    const ask = () => authorizePublish({ ...describe(actor), topic, payload })
    return (await ask()) ? null : this.#askAgain(actor, ask)
  }

  /** The hook goes by roles, which another node may have changed: it is asked once more if it did. */
  async #askAgain(actor: Actor, ask: () => boolean | Promise<boolean>): Promise<Refusal | null> {
    const { roles } = actor.principal
    try {
      await caughtUp(this.#services().store, actor)
    } catch (error) {
      return asRefusal(error)
    }
    const allowed = !sameRoles(roles, actor.principal.roles) && (await ask())
    return allowed ? null : new Refusal('forbidden', 'refused by the authorizePublish hook')
  }

  async #authorizePublish(client: HookClient | null, message: GatedMessage): Promise<Refusal | null> {
    if (!this.#isSet('authorizePublish')) return null
    const shown = { cmd: 'publish', dup: false, retain: false, ...message }
    const error = await this.#ask((done) =>
      this.#aedes.authorizePublish(client as never, shown as never, done as never),
    ).then(
      () => null,
      (error: Error) => error,
    )
    if (error) return new Refusal('forbidden', `refused: ${error.message}`)
    Object.assign(message, { topic: shown.topic, payload: Buffer.from(shown.payload) })
    return null
  }

  /** The Aedes hook may change filter and QoS. `client`: null over HTTP. */
  async subscribe(
    client: HookClient | null,
    actor: Actor,
    requested: RequestedSubscription,
  ): Promise<RequestedSubscription | Refusal> {
    let passed = requested
    if (this.#isSet('authorizeSubscribe')) {
      const answer = await this.#authorizeSubscribe(client, requested)
      if (answer instanceof Error || !answer) return new Refusal('forbidden', 'refused by the authorizeSubscribe hook')
      passed = { ...requested, filter: answer.topic, qos: answer.qos }
    }
    const { authorizeSubscribe } = this.#services().hooks
    if (!authorizeSubscribe) return passed
    return (await authorizeSubscribe({ ...describe(actor), filter: passed.filter }))
      ? passed
      : new Refusal('forbidden', 'refused by the authorizeSubscribe hook')
  }

  #authorizeSubscribe(
    client: HookClient | null,
    { filter, qos }: RequestedSubscription,
  ): Promise<{ topic: string; qos: QoS } | Error | undefined> {
    return this.#ask<{ topic: string; qos: QoS }>((done) =>
      this.#aedes.authorizeSubscribe(client as never, { topic: filter, qos } as never, done as never),
    ).catch((error: Error) => error)
  }

  /** Null while `authorizeForward` is not set: deliveries then share encodings. The hook may change the payload. */
  forward(client: HookClient | null): Forward | null {
    if (!this.#isSet('authorizeForward')) return null
    const aedes = this.#aedes
    const hook = aedes.authorizeForward as unknown as (
      client: HookClient | null,
      packet: object,
    ) => { payload?: Buffer | string } | null
    return (topic, payload, qos) => {
      const packet = aedes.toPacket({ cmd: 'publish', topic, payload, qos, retain: false, dup: false })
      try {
        const passed = hook.call(aedes, client, packet)
        return passed ? Buffer.from(passed.payload ?? '') : null
      } catch (error) {
        this.#pluginFailed(error)
        return null
      }
    }
  }
}

function describe({ principal, clientId }: Actor): { user: string; roles: string[]; clientId: string } {
  return { user: principal.user, roles: [...principal.roles], clientId }
}
