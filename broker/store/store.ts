/**
 * What the broker needs of a store. Adapters live in folders beside this file and pass one contract suite
 * (test/contract/). Everything durable goes through `commit`: one queue, one commit in flight, group-committed.
 */
import type { Readable } from 'node:stream'
import type { RoomRole } from '../../schemas/permissions.js'
import type { RoomPolicies } from '../../schemas/policies.js'
import type { AccountStore } from './accounts.js'
import type { Body } from './body.js'
import type { DeviceStore, OwnedRecords } from './devices.js'
import type { LogName } from './log-name.js'
import type { ModerationStore } from './moderation.js'
import type { Op } from './op.js'
import type { OutboxStore, WebhookStore } from './outbox.js'
import type { PrivacyStore } from './privacy.js'

export type { LogName } from './log-name.js'

export type QoS = 0 | 1 | 2

/** One entry of a log, as it was committed. `payload` is what members receive, byte for byte. */
export interface LogEntry {
  readonly seq: number
  /** Unix ms. */
  readonly ts: number
  readonly qos: QoS
  readonly from: string
  /** Client id of the session that published it; empty: none (MQTT 5 no local). */
  readonly origin: string
  readonly payload: Buffer
  /** What came with the payload; null: nothing. */
  readonly extra: Extra | null
  /** It is about another entry: an edit, a reaction, a deletion. */
  readonly aside?: boolean
  /** Set where only this is left of it; the payload is empty then. */
  readonly gone?: Gone
}

/** Why an entry cannot be read any more. */
export type Gone =
  | { readonly why: 'expired' }
  | {
      /** `replaced`: by a newer notification of its collapse key. */
      readonly why: 'deleted' | 'replaced'
      /** Null: it went with an account, and no name is left, not even of who wrote it. */
      readonly by: string | null
      readonly at: number
    }

/** What MQTT 5 publishers may add to a message, and receivers of that version see; and when a message expires. */
export interface Extra {
  /** Encoded MQTT 5 properties to pass on as they are, without the length in front. */
  readonly properties: Buffer
  /** Unix ms from which it is not delivered any more; 0: never. */
  readonly expiresAt: number
}

/**
 * An entry without its number. The append makes the payload by splicing the number into its bytes, which are made once.
 */
export interface Draft {
  readonly log: LogName
  /** UUIDv7 of the message; kept with the dedupe record so that a retry can be answered. */
  readonly id: string
  readonly ts: number
  readonly from: string
  readonly origin?: string
  readonly qos: QoS
  readonly extra?: Extra | null
  readonly body: Body
  /** Null: no idempotency asked, no cost. `hash` is of the normalised input. */
  readonly dedupe: { readonly cid: string; readonly hash: string } | null
  readonly aside?: boolean
  /** Nothing is appended, but a retry is answered as the first time. */
  readonly retryOnly?: boolean
  /** What happens to other entries of the log if, and only if, this one is appended. */
  readonly effect?: Effect | null
}

export interface Effect {
  readonly notes?: readonly NoteWrite[]
  /** Entries whose payload is gone from then on. */
  readonly erase?: { readonly seqs: readonly number[]; readonly gone: Gone }
}

/** What is kept about an entry: a summary of its changes, who reacted, its edits, the replies in its thread, that it is pinned, whom it mentions, what became of a notification. */
export type NoteKind = 'state' | 'reaction' | 'edit' | 'reply' | 'pin' | 'mention' | 'notice'

/** A small value beside a log, found by the entry it is about; goes with that entry. */
export interface Note {
  readonly kind: NoteKind
  readonly target: number
  /** Of several of a kind; else empty. Notes sort by it. */
  readonly name: string
  readonly value: string
}

export interface NoteWrite extends Pick<Note, 'kind'> {
  /** Null: the entry itself. */
  readonly target: number | null
  /** Null: the number the entry gets, in a form that sorts. */
  readonly name: string | null
  /** Two parts: with the number the entry gets in between. Null removes the note. */
  readonly value: string | readonly [string, string] | null
}

export interface NoteQuery {
  readonly kind: NoteKind
  /** The first and the last entry the notes are about. */
  readonly targets: readonly [number, number]
  /** Names from `gte` on and before `lt`; of one target only. */
  readonly names?: { readonly gte: string; readonly lt: string }
  readonly limit: number
  readonly reverse?: boolean
}

export interface NoteReader {
  get(log: LogName, kind: NoteKind, target: number): Promise<string | null>
  /** In the order of the targets. */
  getMany(log: LogName, kind: NoteKind, targets: readonly number[]): Promise<(string | null)[]>
  /** In order of target and name. */
  list(log: LogName, query: NoteQuery): Promise<Note[]>
  /** Writes a note on its own, not as the effect of an entry. */
  putOp(log: LogName, note: Note): Op
  /** The name of a note that is named by a number. */
  nameOf(seq: number): string
  numberOf(name: string): number
}

export type AppendResult =
  | { readonly outcome: 'appended' | 'duplicate'; readonly id: string; readonly seq: number; readonly ts: number }
  /** The same `(log, from, cid)` was used within the dedupe window with another input. */
  | { readonly outcome: 'conflict'; readonly id: string; readonly seq: number; readonly ts: number }
  /** It was to be a retry and is none; the rest is empty. */
  | { readonly outcome: 'absent'; readonly id: string; readonly seq: number; readonly ts: number }

/**
 * Everything in a change becomes durable together, or nothing does. `ops` are written even if a draft turns out to be
 * a duplicate or a conflict. Without drafts and ops a change writes nothing, and settles in its turn: a barrier.
 */
export interface Change {
  readonly drafts: readonly Draft[]
  readonly ops: readonly Op[]
  /** May be lost in a crash: does not ask for the disk by itself. */
  readonly lazy?: boolean
  /** Called exactly once, in the order of the `commit` calls. `results` are parallel to `drafts` (empty on error). Must not throw. */
  settled(error: StoreError | null, results: readonly AppendResult[]): void
}

/** The entries one commit added to one log: ascending, dense. */
export interface AppendedBatch {
  readonly log: LogName
  readonly entries: readonly LogEntry[]
}

/** The store could not do it; nothing of the change was kept. `full`: no space left, reads go on. */
export class StoreError extends Error {
  readonly full: boolean
  constructor(message: string, options: { cause?: unknown; full?: boolean } = {}) {
    super(message, { cause: options.cause })
    this.name = 'StoreError'
    this.full = options.full ?? false
  }
}

export interface Store {
  readonly log: LogReader
  readonly notes: NoteReader
  readonly sessions: SessionStore
  readonly queue: QueueStore
  readonly directory: DirectoryStore
  readonly receipts: ReceiptStore
  readonly outbox: OutboxStore
  readonly webhooks: WebhookStore
  readonly accounts: AccountStore
  readonly moderation: ModerationStore
  /** The Aedes persistence contract over the same data (async form: methods return promises, streams are object-mode). */
  readonly persistence: Persistence
  readonly counts: StoreCounts
  /** Changes when the store's logs have become shorter than they were: a backup was restored. */
  readonly epoch: string
  /** False from a failed write until the store took writes again; reads go on. */
  readonly healthy: boolean
  /** When the oldest change was handed over that is not committed, or not told to `onAppend`, yet: Unix ms; null: there is none. */
  readonly pendingSince: number | null

  /** Told of every committed append, on the node that serves it, before the change settles. Set once, before the first commit. */
  onAppend: (batches: readonly AppendedBatch[]) => void
  /** Queues a change. Never throws, never blocks: errors arrive in `settled`. */
  commit(change: Change): void
  /** Does what an entry's effect would, with none appended: its notes name a target, and themselves. The log is open. */
  effectOp(log: LogName, effect: Effect): Op
  /**
   * Copies all there is at this moment to `location`, where nothing is yet; others go on meanwhile. A store opened there has another
   * epoch. `heard` is told of bytes copied; aborting rejects, and leaves what is no store.
   */
  copyTo(location: string, heard: (bytes: number) => void, signal: AbortSignal): Promise<void>
  /** Waits for what was queued, then closes. */
  close(): Promise<void>
}

/** Running totals, for `$SYS`, metrics and tests on cost. */
export interface StoreCounts {
  /** Durable (fsynced) writes. */
  commits: number
  /** Log entries appended. */
  appended: number
  /** Keys put or deleted, of commits and of background folding alike. */
  writes: number
  duplicates: number
  /** Commits that failed. */
  failures: number
}

export interface LogInfo {
  readonly name: LogName
  /** Number of the last entry, 0 when there never was one. Never goes back. */
  readonly head: number
  /** Number of the first entry still there; head + 1 when none is. */
  readonly tail: number
}

/**
 * What a reader sees of entries that are gone: nothing, or what is left of them. `expired too`: those that expired come whole while they
 * are still stored, for a client they were sent to already [MQTT5-4.3.3-7].
 */
export type GoneEntries = 'passed over' | 'shown' | 'expired too'

export interface LogReader {
  /** Head and tail, from memory once loaded: no scan. */
  open(name: LogName): Promise<LogInfo>
  /** The same object while the process lives, its fields kept current; undefined before `open` or the first append. */
  peek(name: LogName): LogInfo | undefined
  /**
   * Entries with `after < seq`, ascending, at most `limit`, and at most `maxBytes` of payload except that one entry is
   * always returned. Answers from memory, without a promise, where the log's recent end suffices. Entries that are gone
   * are passed over unless asked for.
   */
  read(
    name: LogName,
    after: number,
    limit: number,
    maxBytes: number,
    gone?: GoneEntries,
  ): LogEntry[] | Promise<LogEntry[]>
  /** The last entries with `seq < before`, ascending; the rest as in `read`. */
  readBefore(name: LogName, before: number, limit: number, maxBytes: number, gone?: GoneEntries): Promise<LogEntry[]>
  /** Forgets the oldest entries in whole chunks: all with `seq <= upTo` that a chunk boundary allows. Moves the tail. */
  trim(name: LogName, upTo: number): Promise<void>
  /** Drops whole chunks in which every entry is older than `before` (Unix ms), or beyond the newest `keep`; 0 switches a bound off. */
  retain(name: LogName, bounds: { before: number; keep: number }): Promise<void>
  /** Takes payloads of entries that are gone off the disk, within a day if called every hour or more often. */
  sweep(): Promise<void>
  /** Removes a log for good: entries, head, dedupe records. Only for a room or a user that is deleted. */
  drop(name: LogName): Promise<void>
  names(): AsyncIterable<LogName>
}

export interface StoredSubscription {
  topic: string
  qos: QoS
  rh?: number
  rap?: boolean
  nl?: boolean
  subscriptionIdentifier?: number
}

export interface SessionRecord {
  /** `{user}/{clientId}`. */
  id: string
  user: string
  clientId: string
  /** Unix ms. */
  createdAt: number
  /** Unix ms of the last disconnect, 0 while connected. */
  disconnectedAt: number
  /** Seconds the session outlives its connection. */
  expiry: number
  /** Of an anonymous client: where it was made from. */
  address?: string
  /** The credential its client logged in with last; absent or null: none of those the broker keeps. */
  login?: string | null
}

/** A packet given to the client and not yet acknowledged. */
export interface SavedInflight {
  packetId: number
  /** The cursor it belongs to, or `queue`. */
  source: string
  /** Sequence in the log, or the queue number. */
  seq: number
  qos: QoS
  /** QoS 2: PUBREC arrived, PUBREL is owed. */
  released: boolean
}

/** How far delivery came. */
export interface Progress {
  /** Cursor name → number of the last entry of the contiguous acknowledged prefix. */
  cursors: Map<string, number>
  inflight: SavedInflight[]
}

export interface SavedSession extends Progress {
  record: SessionRecord
  subscriptions: StoredSubscription[]
  /** Packet ids of inbound QoS 2 publishes that await PUBREL. */
  incoming: number[]
}

/** `at`: Unix ms. `ended`: it ended then, and all its sessions with it. */
export interface Seen {
  readonly at: number
  readonly ended: boolean
}

export interface SessionStore {
  load(id: string): Promise<SavedSession | null>
  /** Of a session, or of a share group, which has no record of its own. */
  progress(id: string): Promise<Progress>
  /** What the filters of all kept sessions of a user count for (filter-cost.ts). From memory. */
  filterBytesOfUser(user: string): number
  /** Shared subscriptions with the ids of the sessions that have them. From memory. */
  shared(): Iterable<StoredSubscription & { clientId: string }>
  recordOp(record: SessionRecord): Op
  subscribeOps(id: string, subscriptions: readonly StoredSubscription[]): Op[]
  unsubscribeOps(id: string, topics: readonly string[]): Op[]
  cursorOp(id: string, cursor: string, seq: number): Op
  dropCursorOp(id: string, cursor: string): Op
  /** Replaces the list. */
  inflightOp(id: string, inflight: readonly SavedInflight[]): Op
  incomingOp(id: string, packetId: number): Op
  dropIncomingOp(id: string, packetId: number): Op
  /**
   * Writes without waiting for the disk: what may be lost in a crash (cursors and QoS 1 state, at most a second old).
   * Ordered before every later commit.
   */
  writeLazily(ops: readonly Op[]): Promise<void>
  /** Removes the session with all it holds: subscriptions, cursors, queue, inbound packet ids. Not its will. Durable. */
  discard(id: string): Promise<void>
  ofUser(user: string): Promise<SessionRecord[]>
  all(): AsyncIterable<SessionRecord>
  /** When the broker was last known to be there; null: that was never noted. */
  seen(): Promise<Seen | null>
  seenOp(seen: Seen): Op
}

/** A message on a plain MQTT topic. */
export interface PlainMessage {
  readonly topic: string
  readonly payload: Buffer
  readonly qos: QoS
  readonly retain: boolean
  /** Session id of the publisher, null when the broker itself speaks. */
  readonly clientId: string | null
  readonly extra?: Extra | null
  /** Queued, not retained itself, and published with RETAIN: MQTT 5 subscribers may ask to see that. */
  readonly replaces?: boolean
}

export interface QueuedMessage {
  /** Position in the queue: ascending over all queues of the store. */
  readonly number: number
  readonly message: PlainMessage
  /** The QoS granted by the subscription that queued it; delivery is the minimum of both. */
  readonly qos: QoS
}

export interface QueueMatch {
  sessionId: string
  /** Highest QoS among the session's matching filters. */
  qos: QoS
  /** The filters that matched (delivery checks authorisation by them). */
  filters: string[]
  /** All of them say no local: what the session published itself is not for it. */
  noLocal: boolean
}

/** Lets more wait for a receiver than the limits say. */
export interface Allowance {
  /** Whether so many messages and bytes may wait, the new one among them; `origin`: the session that published it. */
  admits(messages: number, bytes: number, origin: string | null): boolean
  /** So many still wait. */
  left(messages: number, bytes: number): void
}

/** Queues of references: one stored payload per message, one small key per persistent session that waits for it. */
export interface QueueStore {
  /** While its receiver is connected, `allowance` may let more wait for `id`. Returns what ends it. */
  attend(id: string, allowance: Allowance): () => void
  /** Persistent sessions with a matching filter of QoS ≥ 1 (filters below rooms, users and broadcast are not kept here). From memory. */
  match(topic: string): readonly QueueMatch[]
  /** From now on `id` is matched too; kept in memory alone. Returns what ends it. */
  follow(id: string, filter: string, qos: QoS): () => void
  /** Ids that messages wait for. */
  holders(): Iterable<string>
  /**
   * Ops that store `message` once and reference it from each target. Targets whose queue is full (`limits`) are left out and
   * counted; `queued` are those that got it. `number` is the message's position.
   */
  enqueueOps(
    message: PlainMessage,
    targets: readonly { sessionId: string; qos: QoS }[],
  ): { ops: Op[]; number: number; queued: string[] }
  /** Messages of a session with `after < number`, ascending. */
  read(sessionId: string, after: number, limit: number, maxBytes: number): Promise<QueuedMessage[]>
  /** Forgets one reference; the payload goes with the last one. */
  ackOp(sessionId: string, number: number): Op
  /** Messages and bytes waiting for a session. */
  size(sessionId: string): { messages: number; bytes: number }
  /** Messages that were not queued because a queue was full. */
  readonly dropped: number

  /** Sets the retained message of a topic; an empty payload clears it [MQTT-3.3.1-10]. */
  retainOp(message: PlainMessage): Op
  /** How much is retained of what a name published, what is under way included. From memory. */
  retainedBy(name: string): { messages: number; bytes: number }
  /** Who published what a topic retains, and its size; undefined: nothing, or it is the broker's own. From memory. */
  retainedAt(topic: string): { owner: string; bytes: number } | undefined
  /** Retained messages that match any of the filters, each once, as they are when they are reached. */
  retained(filters: readonly string[]): AsyncIterable<PlainMessage>
  /** `cut` is at the place of `op` in the order of commits. */
  cut(): { op: Op; cut: RetainedCut }
  /**
   * Queues a retained message for a session, however full its queue is, unless it is replaced by the time this commit has its turn.
   * `number` is its position.
   */
  copyOp(message: PlainMessage, target: { sessionId: string; qos: QoS }, replaced: () => boolean): CopyOp
}

export interface CopyOp {
  readonly op: Op
  readonly number: number
}

/** A place in the order of commits, seen from later on. */
export interface RetainedCut {
  /** Whether a commit behind it sets or clears the retained message of the topic; where it is not `complete` that is known of the last ones alone. */
  replaced(topic: string): boolean
  readonly complete: boolean
  /** Nobody asks any more. */
  end(): void
}

export interface UserRecord {
  id: string
  roles: string[]
  /** argon2id in PHC form; null for users known by token only. */
  passwordHash: string | null
  createdAt: number
  /** Unix ms; what was issued to the user before is void. */
  tokensValidFrom?: number
  /** Who it is at an identity provider; absent: the account is linked to none. */
  external?: string
  /** Nobody logs in as the user until that is taken back. */
  suspended?: Suspension
}

export interface Suspension {
  /** Unix ms. */
  at: number
  /** Who did it; `system`: on the command line. */
  by: string
  reason: string | null
}

/** A refreshable login, an API key, an invitation to make an account, or what sets a new password once. */
export type CredentialKind = 'login' | 'key' | 'invite' | 'reset'

/** A refresh token that is good. */
export interface RefreshHead {
  readonly hash: string
  /** Hash of the one it was given for; null: it was given at the login. */
  readonly previous: string | null
  /** Unix ms at which that one was shown first. */
  readonly at: number
  /** Unix ms at which this one ends. */
  readonly expiresAt: number
}

/** Something to show in place of a password, known by its hash. */
export interface CredentialRecord {
  user: string
  id: string
  kind: CredentialKind
  hash: string
  /** Of a login: hash of the refresh token that the current one took the place of. */
  previous: string | null
  /** Of a login: every refresh token that is good, newest first; absent: the one of `hash`. */
  heads?: RefreshHead[]
  /** Of a login: hashes of refresh tokens that were, newest first. */
  had?: string[]
  /** Of a key: what its owner calls it. */
  name: string | null
  /** Unix ms, like the following. */
  createdAt: number
  /** 0: never. */
  usedAt: number
  expiresAt: number | null
  /** Of a key: what it is good for, of the roles of its user; absent: for all. */
  roles?: string[]
  /** Of an invitation: how many more accounts it makes. */
  uses?: number
}

/** A command that a bot takes: a message that begins with `/name` goes to the bot alone. */
export interface SlashCommand {
  name: string
  description: string
  usage?: string
}

/** A user that acts for another. */
export interface BotRecord {
  bot: string
  owner: string
  /** Unix ms. */
  createdAt: number
  commands: SlashCommand[]
}

/** From memory. The record of a bot goes with its account. */
export interface BotRecords {
  get(bot: string): BotRecord | undefined
  ofOwner(owner: string): readonly BotRecord[]
  /** Bots that take the command, the one made first in front. */
  taking(command: string): readonly BotRecord[]
  putOp(record: BotRecord): Op
}

/** `request`: seen by all, entered by who is let in. */
export type RoomAccess = 'public' | 'request' | 'private'
export type { RoomRole }

/** What a room asks of those in it. */
export interface RoomSettings {
  /** Seconds between two messages of a member; 0: none. */
  slowMode: number
  write: 'members' | 'moderators'
  /** Nobody writes, nobody joins. */
  archived: boolean
  /** Null: as many as the broker allows. */
  maxMembers: number | null
  /** Null: those of the broker alone. */
  policies: RoomPolicies | null
}

/** What a room has that was made without. */
export const ROOM_DEFAULTS: RoomSettings = {
  slowMode: 0,
  write: 'members',
  archived: false,
  maxMembers: null,
  policies: null,
}

export interface RoomRecord extends RoomSettings {
  id: string
  access: RoomAccess
  /** True for `dm:{a}:{b}`. */
  direct: boolean
  name: string | null
  topic: string | null
  avatar: string | null
  createdBy: string
  createdAt: number
}

export interface MemberRecord {
  room: string
  user: string
  role: RoomRole
  /** Unix ms. */
  since: number
  /** Heads of the room's logs at the join: where a cursor starts that no subscription has set. 0 in a direct conversation. */
  joined: { messages: number; events: number }
  /** Of a bot: whether someone who may change the room let its commands count. Absent: it came before anyone was asked. */
  commands?: boolean
  /** Absent: as everyone begins. */
  settings?: MemberSettings
}

/** How a member wants to see a room. */
export interface MemberSettings {
  notifications: 'all' | 'mentions' | 'none'
  pinned: boolean
  hidden: boolean
  /** The first message that is to count as unread, though it was read; null, or absent: none. */
  unreadFrom?: number | null
}

export interface InviteRecord {
  room: string
  user: string
  by: string
  at: number
}

export interface PresenceRecord {
  user: string
  online: boolean
  status: string | null
  away: boolean
  /** Unix ms. */
  lastSeen: number
}

/** How a user shows itself. */
export interface ProfileRecord {
  user: string
  name: string | null
  avatar: string | null
  fields: Record<string, string | number | boolean | null>
  /** Unix ms; null: never changed. */
  updatedAt: number | null
}

/** `user` wants nothing of `blocked`. */
export interface BlockRecord {
  user: string
  blocked: string
  /** Unix ms. */
  at: number
}

export interface BanRecord {
  room: string
  user: string
  by: string
  /** Unix ms. */
  at: number
  /** Unix ms; null: for good. */
  until: number | null
  reason: string | null
}

export type MuteRecord = Omit<BanRecord, 'reason'>

export interface LinkRecord {
  room: string
  /** The token that lets in whoever has it. */
  link: string
  by: string
  /** Unix ms. */
  at: number
  /** Unix ms; null: never. */
  expires: number | null
  /** How many it still lets in; null: any number. */
  uses: number | null
}

export interface JoinRequestRecord {
  room: string
  user: string
  /** Unix ms. */
  at: number
  message: string | null
}

/** `user` has written in a direct conversation. */
export interface WrittenRecord {
  room: string
  user: string
}

/** Words of `user` were forwarded into the room, whoever did it. */
export interface ForwardedRecord {
  room: string
  user: string
}

/** Records of rooms, each under a name (a user, a link). Those of a room go with it. */
export type RoomRecords<T> = OwnedRecords<T>

/** People and rooms. Rooms, memberships, invites, contacts and blocks are held in memory; users are read when asked for, the busy ones cached. */
export interface DirectoryStore {
  /** Without a promise when cached. */
  user(id: string): UserRecord | null | Promise<UserRecord | null>
  /** The existing user whose name differs at most by case. */
  userLike(id: string): Promise<UserRecord | null>
  users(): AsyncIterable<UserRecord>
  /** Ids that begin with `prefix`, whatever the case, after the id `after`; in the order of their lower case. */
  usersLike(prefix: string, after: string, limit: number): Promise<string[]>
  userOp(record: UserRecord): Op
  /** Removes the account with its credentials, its second factor, its profile, privacy settings, contacts, blocks and those of it; `at` (Unix ms) is kept. */
  deleteUserOps(id: string, at: number): Promise<Op[]>
  /** When an account of that name was removed last; 0: never. */
  removedAt(id: string): Promise<number>
  credential(user: string, id: string): Promise<CredentialRecord | null>
  credentials(user: string): Promise<CredentialRecord[]>
  credentialOp(record: CredentialRecord): Op
  deleteCredentialOp(user: string, id: string): Op

  readonly bots: BotRecords

  profile(user: string): Promise<ProfileRecord | null>
  profileOp(record: ProfileRecord): Op
  /** By the blocked user. */
  blocks(user: string): ReadonlyMap<string, BlockRecord>
  /** Whom the user wants as contacts, with the time (Unix ms); who wants the user too is one. */
  wanted(user: string): ReadonlyMap<string, number>
  /** Who wants the user as a contact. */
  wantedBy(user: string): ReadonlyMap<string, number>
  contactOp(user: string, wanted: string, at: number): Op
  deleteContactOp(user: string, wanted: string): Op
  blockOp(record: BlockRecord): Op
  deleteBlockOp(user: string, blocked: string): Op

  room(id: string): RoomRecord | undefined
  rooms(): Iterable<RoomRecord>
  /** Ids that differ from this one by case at most. */
  roomsLike(id: string): readonly string[]
  roomOp(record: RoomRecord): Op
  /** Removes the room with its memberships and invites. */
  deleteRoomOps(id: string): Op[]

  member(room: string, user: string): MemberRecord | undefined
  members(room: string): ReadonlyMap<string, MemberRecord>
  /** By room id. */
  memberships(user: string): ReadonlyMap<string, MemberRecord>
  memberOp(record: MemberRecord): Op
  deleteMemberOp(room: string, user: string): Op

  invite(room: string, user: string): InviteRecord | undefined
  /** By user. */
  invites(room: string): ReadonlyMap<string, InviteRecord>
  /** How many invitations of a name stand. From memory. */
  invitesBy(name: string): number
  inviteOp(record: InviteRecord): Op
  deleteInviteOp(room: string, user: string): Op
  /** Users who left or were removed: they come back only by rooms.join. */
  departed(room: string, user: string): boolean
  departedOp(room: string, user: string): Op
  deleteDepartedOp(room: string, user: string): Op

  readonly bans: RoomRecords<BanRecord>
  readonly mutes: RoomRecords<MuteRecord>
  readonly links: RoomRecords<LinkRecord>
  readonly joinRequests: RoomRecords<JoinRequestRecord>
  readonly devices: DeviceStore
  readonly written: RoomRecords<WrittenRecord>
  readonly forwarded: RoomRecords<ForwardedRecord>
  readonly privacy: PrivacyStore

  presence(): AsyncIterable<PresenceRecord>
  presenceOp(record: PresenceRecord): Op
  deletePresenceOp(user: string): Op
}

/** How far a member has come in a room. Of one membership: it goes with it. */
export interface ReceiptRecord {
  readonly room: string
  readonly user: string
  /** Of the membership; a record with another one is void. */
  readonly since: number
  /** Number of the last message read, and of the last one of which others may know that. */
  readonly read: number
  readonly told: number
  /** Number of the last message that reached one of the user's sessions. */
  readonly delivered: number
  /** Unix ms of the last change that others may know of; 0: none. */
  readonly at: number
  /** The last message read in threads, by the number of the message that began each. */
  readonly threads?: Readonly<Record<number, number>>
}

/** In memory, like memberships; removed by `deleteMemberOp` and `deleteRoomOps`. */
export interface ReceiptStore {
  get(room: string, user: string): ReceiptRecord | undefined
  putOp(record: ReceiptRecord): Op
}

/** A message as the Aedes persistence contract sees it. */
export interface AedesPacketLike {
  cmd?: string
  topic?: string
  payload?: Buffer | string
  qos?: QoS
  retain?: boolean
  dup?: boolean
  messageId?: number | undefined
  brokerId?: string
  brokerCounter?: number
  clientId?: string
  /** What our own messages carry beside what Aedes knows. */
  extra?: unknown
  replaces?: unknown
  [key: string]: unknown
}

/** Will as stored: who left it, and by what login, says on whose authority it is published, `due` (Unix ms) when; `streamWill` yields only due ones. */
export interface WillPacket extends AedesPacketLike {
  user?: string
  roles?: string[]
  /** As in `Principal`; wills of earlier releases have none of these. */
  ofAccount?: { only?: readonly string[]; plus?: readonly string[] }
  login?: string | null
  issuedAt?: number
  expiresAt?: number | null
  due?: number
}

/** The contract of aedes-persistence 11 (asyncPersistence), to the letter: its abstract suite runs on it. */
export interface Persistence {
  setup(broker: { id: string }): Promise<void>
  storeRetained(packet: AedesPacketLike): Promise<void>
  createRetainedStream(pattern: string): Readable
  createRetainedStreamCombi(patterns: string[]): Readable
  addSubscriptions(client: { id: string }, subscriptions: StoredSubscription[]): Promise<void>
  removeSubscriptions(client: { id: string }, topics: string[]): Promise<void>
  subscriptionsByClient(client: { id: string }): Promise<StoredSubscription[]>
  subscriptionsByTopic(topic: string): Promise<(StoredSubscription & { clientId: string })[]>
  cleanSubscriptions(client: { id: string }): Promise<void>
  countOffline(): Promise<{ subsCount: number; clientsCount: number }>
  outgoingEnqueue(subscription: { clientId: string }, packet: AedesPacketLike): Promise<void>
  outgoingEnqueueCombi(subscriptions: { clientId: string }[], packet: AedesPacketLike): Promise<void>
  outgoingUpdate(client: { id: string }, packet: AedesPacketLike): Promise<void>
  outgoingClearMessageId(client: { id: string }, packet: AedesPacketLike): Promise<AedesPacketLike | undefined>
  outgoingStream(client: { id: string }): Readable
  incomingStorePacket(client: { id: string }, packet: AedesPacketLike): Promise<void>
  incomingGetPacket(client: { id: string }, packet: AedesPacketLike): Promise<AedesPacketLike>
  incomingDelPacket(client: { id: string }, packet: AedesPacketLike): Promise<void>
  cleanIncoming(client: { id: string }): Promise<void>
  putWill(client: { id: string }, packet: WillPacket): Promise<void>
  getWill(client: { id: string }): Promise<WillPacket | undefined>
  delWill(client: { id: string }): Promise<WillPacket | undefined>
  streamWill(brokers?: Record<string, number>): Readable
  getClientList(topic: string): Readable
  destroy(): Promise<void>
}
