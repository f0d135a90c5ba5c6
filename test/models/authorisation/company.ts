/** The participants of a program: their clients, tokens and keys, and the messages they have sent. */
import type { Test } from 'tap'
import type { TestBroker } from '../../helpers/broker.js'
import { fetchFrom, requestOf } from '../../helpers/http.js'
import { Violation } from './listener.js'
import { MqttSession } from './mqtt-session.js'
import { Stream } from './stream.js'
import {
  ACCESS,
  BOT,
  BOT_ROOMS,
  CAST,
  DEVICE,
  type Program,
  type QoS,
  ROOMS,
  type RoomAct,
  USERS,
  VOICES,
} from './words.js'
import { type Secret, World } from './world.js'

// biome-ignore lint/suspicious/noExplicitAny: an answer is any JSON
type Json = any

export const ROOT = 'root'

export class Company {
  readonly world = new World()
  readonly secrets = new Map<string, Secret>()
  readonly owner: Test
  readonly broker: TestBroker
  /** By slot of CAST. */
  readonly listeners: (MqttSession | Stream)[]
  readonly voices = new Map<string, MqttSession>()
  /** API keys of users without a token. */
  readonly #keys = new Map<string, string>()
  readonly retained = new Map<string, { secret: Secret; qos: QoS }>()

  constructor(owner: Test, broker: TestBroker) {
    this.owner = owner
    this.broker = broker
    this.listeners = CAST.map(({ user, id }) => {
      const anonymous = user === 'anonymous'
      const clientId = id === 'stream' ? '' : id
      const reader = { user, anonymous, clientId, roles: [] }
      return new (id === 'stream' ? Stream : MqttSession)(`${user}/${id}`, reader)
    })
  }

  secret(from: string, topics: string[], of: Secret['of']): Secret {
    const secret = { marker: `mk${this.secrets.size}x`, from, topics, of, at: this.world.step }
    this.secrets.set(secret.marker, secret)
    return secret
  }

  /** Records whether a message was accepted; a refused one must not reach anybody. */
  said(secret: Secret, allowed: boolean, ok: boolean, kind: 'ephemeral' | 'log' | QoS): void {
    if (ok !== allowed)
      throw new Violation(`${secret.from} was ${ok ? '' : 'not '}allowed to say ${JSON.stringify(secret)}`)
    if (!allowed) secret.of = { kind: 'nobody' }
    else for (const listener of this.listeners) listener.owe(this.world, secret, kind)
  }

  roomSecret(from: string, room: string): Secret {
    return this.secret(from, [`rooms/${room}/messages`, `rooms/${room}/text`], { kind: 'room', room })
  }

  async enterVoices(): Promise<void> {
    await this.#makeOthers()
    for (const [user, roles] of Object.entries(VOICES)) {
      const voice = new MqttSession(`${user}/voice`, { user, roles, clientId: 'voice', anonymous: false })
      await this.enterVoice(voice)
      this.voices.set(user, voice)
    }
  }

  /** Creates the device, and the bot with its command. */
  async #makeOthers(): Promise<void> {
    const { marker: name } = this.secret('ann', [], { kind: 'device' })
    const made = await this.must('ann', 'devices.register', { device: DEVICE, name })
    this.#keys.set(DEVICE, made.key)
    const { key } = await this.must(ROOT, 'bots.create', { bot: BOT })
    this.#keys.set(BOT, key.key)
    await this.must(BOT, 'slash.set', { commands: [{ name: 'deploy', description: 'Deploys.' }] })
  }

  /** Transfers the device: its old keys are void, and it reconnects with the new one. */
  async takeDevice(user: string): Promise<void> {
    const voice = this.voice(DEVICE)
    const { key } = await this.must(user, 'devices.accept', { device: DEVICE })
    this.#keys.set(DEVICE, key)
    await voice.ended()
    await this.enterVoice(voice)
  }

  async enterVoice(voice: MqttSession): Promise<void> {
    const { user, roles } = voice.reader
    await voice.connect(
      this.broker,
      { version: 5, clean: true, held: false, roles, will: null },
      null,
      this.#keys.get(user),
    )
    const heard: Record<string, string[]> = {
      [ROOT]: ['#', 'devices/#', 'rooms/+/messages'],
      [BOT]: [`users/${BOT}/events`],
    }
    const all = (heard[user] ?? []).map((filter) => ({ filter, qos: 0 as const }))
    if (all.length === 0) return
    await voice.subscribe(all)
    for (const { filter, qos } of all) voice.filters.set(filter, qos)
  }

  async makeRooms(roles: Program['roles']): Promise<void> {
    for (const [i, room] of ROOMS.entries()) {
      const access = ACCESS[room]
      await this.must(ROOT, 'rooms.create', { room, access })
      const members = new Map([[ROOT, { role: 'owner' as const, since: 0 }]])
      const lists = { invited: new Set<string>(), asked: new Set<string>(), banned: new Set<string>() }
      this.world.rooms.set(room, { access, members, ...lists, muted: new Set(), departed: new Set() })
      for (const [j, role] of roles[i]!.entries()) if (role) await this.#admit(room, USERS[j]!, role)
      if (BOT_ROOMS.some((one) => one === room)) await this.#admit(room, BOT, 'member')
    }
  }

  async #admit(room: string, user: string, role: RoomAct['role']): Promise<void> {
    await this.must(ROOT, 'rooms.invite', { room, user })
    await this.must(user, 'rooms.join', { room })
    await this.must(ROOT, 'rooms.setRole', { room, user, role })
    this.world.rooms.get(room)!.members.set(user, { role, since: 0 })
  }

  async must(user: string, name: string, params: Record<string, unknown>): Promise<Json> {
    const { ok, body } = await this.ask(user, name, params)
    if (!ok) throw new Violation(`${name} ${JSON.stringify(params)}: ${JSON.stringify(body)}`)
    return body
  }

  voice(user: string): MqttSession {
    return this.voices.get(user)!
  }

  /** Runs a command over HTTP; the response reaches only the caller. */
  async ask(
    user: string,
    name: string,
    params: Record<string, unknown>,
  ): Promise<{ ok: boolean; text: string; body: Json }> {
    const { path, request } = requestOf(name, params)
    const key = this.#keys.get(user)
    const login = key ? { headers: { authorization: `Bearer ${key}` } } : { as: user, roles: VOICES[user]! }
    const fetched = () => fetchFrom(this.broker, path, { ...request, ...login })
    let { status, text, body } = await fetched()
    // The search index may not be open yet on a busy machine.
    while (name === 'search' && body?.code === 'unavailable') ({ status, text, body } = await fetched())
    if (status >= 500) throw new Violation(`${name} ${JSON.stringify(params)}: ${text}`)
    return { ok: status < 300, text, body }
  }
}
