/**
 * The history of a run of several nodes as its clients saw it, written by one process, in one order: what `check.ts` judges. A model of it knows
 * nothing of nodes, stores and connections but what is told here.
 */

export type QoS = 0 | 1 | 2

/** What a log had at a seq. */
export interface Entry {
  readonly seq: number
  readonly id: string
  /** Its name in this history: the cid. */
  readonly message: string
}

export interface Sent {
  readonly type: 'sent'
  /** A name that no other message has: the cid, or the payload where there is no log. Each transmission is an event. */
  readonly message: string
  readonly user: string
  /** Null: a plain topic. */
  readonly log: string | null
  readonly qos: QoS
  /** What else a message on a plain topic is: a job for a share group, or the retained state of its sender. */
  readonly use?: 'job' | 'state'
}

/** PUBACK or PUBREC, or the reply to the cid. */
export interface Acked {
  readonly type: 'acked'
  readonly message: string
  /** Null: a plain topic, or a PUBREC for a packet id that was received before, which tells nothing of the message. */
  readonly entry: Omit<Entry, 'message'> | null
}

export interface Refused {
  readonly type: 'refused'
  readonly message: string
  readonly code: string
}

/** CONNACK. */
export interface Connected {
  readonly type: 'connected'
  readonly session: string
  readonly user: string
  readonly connection: number
  readonly node: string
  readonly resumed: boolean
}

/** The client gave up a connection, or it was closed. */
export interface Disconnected {
  readonly type: 'disconnected'
  readonly connection: number
}

/** A subscription is granted, and never given up. */
export interface Following {
  readonly type: 'following'
  readonly session: string
  /** Null: all plain topics of this history. */
  readonly log: string | null
  /** The cursor: the last seq that the session is not owed. */
  readonly after: number
  readonly qos: QoS
  /** The session outlives its connections. */
  readonly persistent: boolean
}

/** An application message for the session: at QoS 2 without those whose packet id the receiver still has [MQTT-4.3.3-2]. */
export interface Delivered {
  readonly type: 'delivered'
  readonly session: string
  readonly connection: number
  readonly log: string | null
  readonly message: string
  readonly entry: Omit<Entry, 'message'> | null
  readonly qos: QoS
}

/** A message on a connection that the client had given up, and does not read any more. */
export interface Overheard {
  readonly type: 'overheard'
  readonly session: string
  readonly connection: number
  readonly message: string
}

/** A whole log as a node answers, at the end. */
export interface Read {
  readonly type: 'read'
  readonly node: string
  readonly log: string
  readonly entries: readonly Entry[]
}

export interface Presence {
  readonly type: 'presence'
  readonly watcher: string
  readonly user: string
  readonly state: 'online' | 'away' | 'offline'
}

/** A client with a will has lost its connection and does not come back. */
export interface Died {
  readonly type: 'died'
  /** The payload of the will. */
  readonly will: string
  /** That it was connected to. */
  readonly node: string
}

/** A will reached a session that is there all the time. */
export interface WillSeen {
  readonly type: 'will'
  readonly session: string
  readonly will: string
}

/** A client with a will has disconnected, or its session has a connection again before the will is due. */
export interface WillWithdrawn {
  readonly type: 'will withdrawn'
  readonly will: string
}

/** A client with a will got no answer to its CONNECT. */
export interface WillUnclear {
  readonly type: 'will unclear'
  readonly will: string
}

/** A node is cut off from the others for so long that they take it for gone: what its clients have counts no more as a connection. */
export interface Isolated {
  readonly type: 'isolated'
  readonly node: string
}

/** A node is ended by SIGKILL. */
export interface Killed {
  readonly type: 'killed'
  readonly node: string
}

/** The nodes have a webhook that is told of these logs from their first entry on. */
export interface Hooked {
  readonly type: 'webhook'
  readonly webhook: string
  readonly logs: readonly string[]
}

/** A request of a webhook has arrived. */
export interface Posted {
  readonly type: 'posted'
  /** A name that no other request has. */
  readonly request: number
  readonly webhook: string
  /** The process that sent it, named after its node and distinct from others of that node. Null: it is not known. */
  readonly by: string | null
  /** The events of a room are a log, too: `eventsOf` names it. */
  readonly log: string
  /** The id is that of the request. */
  readonly entry: Omit<Entry, 'message'>
  /** The cid, or what happened to whom. */
  readonly message: string
}

/** Such a request is answered, on a connection that is still open. */
export interface Answered {
  readonly type: 'answered'
  readonly request: number
  /** Of HTTP: 2xx takes the event. */
  readonly status: number
}

/** The log of the events of a room, as webhooks are told of it. */
export function eventsOf(room: string): string {
  return `${room}, events`
}

/** A receipt reached a session. */
export interface ReceiptHeard {
  readonly type: 'receipt'
  readonly session: string
  readonly connection: number
  readonly room: string
  readonly user: string
  readonly read: number
  readonly delivered: number
}

/** The receipts of a room as a node answers, at the end: read and delivered by user. */
export interface ReceiptsRead {
  readonly type: 'receipts'
  readonly node: string
  readonly room: string
  readonly receipts: Readonly<Record<string, readonly [read: number, delivered: number]>>
}

/** A message of a share group reached one of its members: at QoS 2 without those whose packet id the receiver still has. */
export interface Job {
  readonly type: 'job'
  readonly session: string
  readonly connection: number
  readonly message: string
  readonly qos: QoS
}

/** What is retained, as a new subscription to a node gets it, at the end: messages by topic. */
export interface RetainedRead {
  readonly type: 'retained'
  readonly node: string
  readonly messages: Readonly<Record<string, string>>
}

/** The epoch of the store, as a node answers: once at the begin, and for each node at the end. */
export interface EpochRead {
  readonly type: 'epoch'
  readonly node: string
  readonly epoch: string
}

/** A line of a node's log at level error. */
export interface Complaint {
  readonly type: 'complaint'
  readonly node: string
  readonly text: string
}

/** All nodes use the server that took over. */
export interface Restored {
  readonly type: 'restored'
}

/** A room that only its history changes from here on. */
export interface Founded {
  readonly type: 'founded'
  readonly room: string
  /** Roles by user. */
  readonly members: Readonly<Record<string, string>>
  /** How many may be members; null: any number. */
  readonly most: number | null
  readonly isPrivate: boolean
}

/** An entry of the events of a room, as one session gets them. */
export interface RoomEvent {
  readonly type: 'room event'
  readonly session: string
  readonly room: string
  readonly seq: number
  readonly id: string
  readonly kind: string
  readonly user?: string
  readonly role?: string
}

/** A command was answered with success that causes an event of the room each time. */
export interface Acted {
  readonly type: 'acted'
  readonly room: string
  readonly kind: 'left' | 'removed' | 'role'
  readonly user: string
}

/** Who was removed asks to be a member again. */
export interface Returning {
  readonly type: 'returning'
  readonly room: string
  readonly user: string
}

/** Who is a member, as a node answers, at the end. */
export interface MembersRead {
  readonly type: 'members'
  readonly node: string
  readonly room: string
  readonly members: Readonly<Record<string, string>>
}

export type Event =
  | Sent
  | Acked
  | Refused
  | Connected
  | Disconnected
  | Following
  | Delivered
  | Overheard
  | Read
  | Presence
  | Died
  | WillSeen
  | WillWithdrawn
  | WillUnclear
  | Isolated
  | Killed
  | Hooked
  | Posted
  | Answered
  | ReceiptHeard
  | ReceiptsRead
  | Job
  | RetainedRead
  | EpochRead
  | Complaint
  | Restored
  | Founded
  | RoomEvent
  | Acted
  | Returning
  | MembersRead

/** In the order of their time. */
export type History = readonly (Event & { readonly ms: number })[]

/** An event with its place in the history. */
export type Placed<E> = E & { readonly at: number; readonly ms: number }

/** The events of one kind. */
export function ofType<T extends Event['type']>(history: History, type: T): Placed<Extract<Event, { type: T }>>[] {
  return history.flatMap((event, at) =>
    event.type === type ? [{ ...(event as Extract<Event, { type: T }> & { ms: number }), at }] : [],
  )
}

export function groupBy<T>(items: readonly T[], key: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>()
  for (const item of items) {
    const group = groups.get(key(item))
    if (group) group.push(item)
    else groups.set(key(item), [item])
  }
  return groups
}
