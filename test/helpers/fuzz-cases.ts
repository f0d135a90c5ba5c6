/** Fuzz cases: one misbehaving client each, determined by the seed and the number of the case. */
import { decodeConnect, decodePacket } from '../../broker/mqtt/codec/decode.js'
import { FrameReader } from '../../broker/mqtt/codec/frames.js'
import type { ConnectPacket } from '../../broker/mqtt/codec/packets.js'
import { cut, framed, httpNoise, intrude, upgradeRequest } from './fuzz-frames.js'
import { Grammar, USERS } from './fuzz-grammar.js'
import { damage } from './fuzz-mutations.js'
import type { Random } from './random.js'

/** What the broker must send unless it closes the connection: it shows that the case was handled. */
export type Answer = 'connack' | 'pingresp'

export interface FuzzCase {
  readonly number: number
  /** Kind of client, and the damage done to its packets. */
  readonly about: string
  readonly door: 'mqtt' | 'http'
  readonly chunks: readonly Buffer[]
  /** Waited for before the end; null: nothing in particular. */
  readonly awaits: Answer | null
  /** `finish`: half-closes the connection and waits for the broker to close it; `cut`: destroys it. */
  readonly ending: 'finish' | 'cut'
  /** The session that outlives the connection if the CONNECT is accepted, as `{user}/{clientId}`. */
  readonly session: string | null
}

type Core = Omit<FuzzCase, 'number' | 'chunks' | 'ending'> & { parts: readonly Buffer[] }

const LARGEST = 65_536 + 131_072
const PINGREQ = Buffer.from('c000', 'hex')

/** Case `number` of a run with this seed. `tokens`: by user. */
export function makeCase(run: Random, number: number, tokens: ReadonlyMap<string, string>): FuzzCase {
  const random = run.part(number)
  const { parts, ...core } = makeCore(random, number, tokens)
  return { number, ...core, chunks: chunked(random, parts), ending: random.chance(0.85) ? 'finish' : 'cut' }
}

function makeCore(random: Random, number: number, tokens: ReadonlyMap<string, string>): Core {
  const roll = random.below(100)
  if (roll < 5) return noise('noise', 'mqtt', random.bytes(random.between(1, 400)))
  if (roll < 10) return noise('http noise', 'http', httpNoise(random))
  const user = random.pick(USERS)
  // Few client ids, so that sessions are taken over and resumed; and a new one for each case.
  const clientId = random.chance(0.5) ? `c${random.below(4)}` : `n${number}`
  const grammar = new Grammar(random, { user, token: tokens.get(user)!, clientId })
  const packets = roll < 13 ? flood(random, grammar) : grammar.session()
  const about = [roll < 13 ? 'flood' : `session of version ${grammar.version}`]
  if (random.chance(0.8)) about.push(...damage(random, packets))
  const { connect, whole } = readAsBroker(Buffer.concat(packets))
  if (whole) packets.push(PINGREQ)
  const session = connect && keptSession(connect)
  const awaits = whole ? 'pingresp' : connect ? 'connack' : null
  if (roll < 65) return { about: about.join(', '), door: 'mqtt', parts: packets, awaits, session }
  return { ...overWebSocket(random, packets, about, awaits), session }
}

function noise(about: string, door: Core['door'], bytes: Buffer): Core {
  return { about, door, parts: [bytes], awaits: null, session: null }
}

function overWebSocket(
  random: Random,
  packets: Buffer[],
  about: string[],
  awaits: Answer | null,
): Omit<Core, 'session'> {
  const frames = framed(random, packets)
  const parts = [upgradeRequest(), ...frames]
  about.push('over WebSocket')
  if (random.chance(0.5)) return { about: about.join(', '), door: 'http', parts, awaits }
  const intruder = intrude(random, frames)
  about.push(`with ${intruder}`)
  // Noise may be the beginning of an endless frame.
  const known = intruder === 'noise' || !awaits ? null : 'connack'
  return { about: about.join(', '), door: 'http', parts: [upgradeRequest(), ...frames], awaits: known }
}

/** More publishes than the broker may have in flight. */
function flood(random: Random, grammar: Grammar): Buffer[] {
  return [...grammar.session(2), ...Array.from({ length: random.between(200, 600) }, () => grammar.publish())]
}

/** Chunks: packet by packet, all at once, in a few pieces, or (for short streams) byte by byte. */
function chunked(random: Random, parts: readonly Buffer[]): readonly Buffer[] {
  const all = Buffer.concat(parts)
  const roll = random.below(4)
  if (roll === 0) return parts
  if (roll === 1) return [all]
  if (roll === 2 && all.length < 1500) return [...all].map((byte) => Buffer.from([byte]))
  return cut(random, all, random.between(2, 30))
}

/** The stream's CONNECT if it begins with one; and whether the stream consists of complete packets. */
function readAsBroker(stream: Buffer): { connect: ConnectPacket | null; whole: boolean } {
  const frames = new FrameReader(LARGEST)
  frames.push(stream)
  let connect: ConnectPacket | null = null
  try {
    while (frames.next()) {
      if (connect) decodePacket(frames.header, frames.body, connect.version)
      else connect = decodeConnect(frames.header, frames.body)
    }
  } catch {
    return { connect, whole: false }
  }
  return { connect, whole: connect !== null && frames.buffered === 0 }
}

function keptSession({ version, clean, clientId, username, properties }: ConnectPacket): string | null {
  const kept = version === 5 ? (properties.sessionExpiry ?? 0) > 0 : !clean
  return kept ? `${username}/${clientId}` : null
}

/** Description and bytes, to repeat the case. */
export function describe({ number, about, door, ending, chunks }: FuzzCase): string {
  const all = Buffer.concat(chunks).toString('hex')
  const hex = all.length > 20_000 ? `${all.slice(0, 20_000)}… (${all.length / 2} bytes)` : all
  return `case ${number} (${about}; ${door}, ${chunks.length} chunks, ${ending}): ${hex}`
}
