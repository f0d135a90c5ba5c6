/** All that the broker has of a user, as the files of an export. Logs are read page by page, and only as fast as someone takes them. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { directPeer, isDirectRoom } from '../../schemas/ids.js'
import type { LogEntry, LogName, MemberRecord, Store } from '../store/store.js'
import { roomsTouchedBy } from '../store/touched-rooms.js'
import { logs } from './views.js'

/** Entries read at once, and their bytes. */
const PAGE = 200
const PAGE_BYTES = 256 * 1024

export interface ExportFile {
  readonly name: string
  /** Pieces of its text. */
  readonly text: AsyncIterable<string>
}

/** @param maxBytes of logs; what is beyond is left out, and the last file says so. */
export async function* accountFiles(store: Store, user: string, maxBytes: number): AsyncGenerator<ExportFile> {
  const budget = { left: maxBytes, leftOut: [] as string[] }
  yield { name: 'README.txt', text: once(README(user)) }
  for (const [name, read] of Object.entries(RECORDS))
    yield { name: `${name}.json`, text: once(`${JSON.stringify(await read(store, user), null, 2)}\n`) }
  for (const { name, log, after, pick } of await logFiles(store, user)) {
    if (budget.left <= 0) budget.leftOut.push(name)
    else yield { name, text: linesOf(store, { name, log, after, pick }, budget) }
  }
  if (budget.leftOut.length > 0) yield { name: 'INCOMPLETE.txt', text: once(INCOMPLETE(maxBytes, budget.leftOut)) }
}

interface LogFile {
  readonly name: string
  readonly log: LogName
  readonly after: number
  /** Which entries are the user's to have. */
  readonly pick: (entry: LogEntry) => boolean
}

const all = (): boolean => true

async function logFiles(store: Store, user: string): Promise<LogFile[]> {
  const mine = (entry: LogEntry): boolean => entry.from === user
  const files: LogFile[] = [
    { name: 'events.jsonl', log: logs.userEvents(user), after: 0, pick: all },
    { name: 'notifications.jsonl', log: logs.notifications(user), after: 0, pick: all },
  ]
  for (const room of roomsTouchedBy(store.directory, user)) {
    const log = logs.messages(room)
    // The past of a direct conversation belongs to who had the name then.
    const after = isDirectRoom(room) ? (store.directory.member(room, user)?.joined.messages ?? 0) : 0
    const peer = directPeer(room, user)
    if (peer === null) files.push({ name: `messages/${encodeURIComponent(room)}.jsonl`, log, after, pick: mine })
    else files.push({ name: `direct/${encodeURIComponent(peer)}.jsonl`, log, after, pick: all })
  }
  return files
}

async function* linesOf(
  store: Store,
  { name, log, after, pick }: LogFile,
  budget: { left: number; leftOut: string[] },
): AsyncGenerator<string> {
  for (let last = after; ; ) {
    // Pages in memory come at once: others have their turn in between.
    await nextTurn()
    const page = await store.log.read(log, last, PAGE, PAGE_BYTES)
    if (page.length === 0) return
    last = page[page.length - 1]!.seq
    const lines = page.filter(pick).map(({ payload }) => `${payload.toString('utf8')}\n`)
    budget.left -= lines.reduce((bytes, line) => bytes + Buffer.byteLength(line), 0)
    if (lines.length > 0) yield lines.join('')
    if (budget.left <= 0) return void budget.leftOut.push(`${name}, after ${last}`)
  }
}

async function* once(text: string): AsyncGenerator<string> {
  yield text
}

type Read = (store: Store, user: string) => unknown

const RECORDS: Readonly<Record<string, Read>> = {
  account: async ({ directory, accounts }, user) => {
    const { roles = [], createdAt = null, passwordHash = null } = (await directory.user(user)) ?? {}
    const factor = await accounts.secondFactor(user)
    const secondFactor = factor?.confirmedAt ? { since: factor.confirmedAt } : null
    return { user, roles, createdAt, password: passwordHash !== null, secondFactor }
  },
  profile: ({ directory }, user) => directory.profile(user),
  privacy: ({ directory }, user) => directory.privacy.get(user) ?? null,
  presence: async ({ directory }, user) => {
    for await (const record of directory.presence()) if (record.user === user) return record
    return null
  },
  bots: ({ directory }, user) => directory.bots.ofOwner(user),
  // Without what could be used to log in.
  credentials: async ({ directory }, user) =>
    (await directory.credentials(user)).map(({ hash: _, previous: __, ...known }) => known),
  sessions: async ({ sessions }, user) => {
    const records = await sessions.ofUser(user)
    return Promise.all(
      records.map(async ({ login: _, ...record }) => ({
        ...record,
        subscriptions: (await sessions.load(record.id))?.subscriptions ?? [],
      })),
    )
  },
  contacts: ({ directory }, user) => ({
    wanted: named(directory.wanted(user)),
    wantedBy: named(directory.wantedBy(user)),
  }),
  blocks: ({ directory }, user) => [...directory.blocks(user).values()],
  rooms: ({ directory, receipts }, user) => {
    const place = ({ room, since }: MemberRecord) => {
      const receipt = receipts.get(room, user)
      return receipt?.since === since ? { read: receipt.read, delivered: receipt.delivered, at: receipt.at } : null
    }
    return [...directory.memberships(user).values()].map((member) => ({
      name: directory.room(member.room)?.name ?? null,
      ...member,
      receipt: place(member),
    }))
  },
  invitations: ({ directory }, user) => inRooms(directory, (room) => directory.invite(room, user)),
  requests: ({ directory }, user) => inRooms(directory, (room) => directory.joinRequests.get(room, user)),
  sanctions: ({ directory }, user) => ({
    bans: inRooms(directory, (room) => directory.bans.get(room, user)),
    mutes: inRooms(directory, (room) => directory.mutes.get(room, user)),
  }),
}

function named(times: ReadonlyMap<string, number>) {
  return [...times].map(([user, at]) => ({ user, at }))
}

function inRooms<T>(directory: Store['directory'], find: (room: string) => T | undefined): T[] {
  return [...directory.rooms()].flatMap(({ id }) => find(id) ?? [])
}

const README = (user: string): string => `What this TopicTalk broker has of ${user}, as of ${new Date().toISOString()}.

account.json        the account: roles, when it was made; never the password
profile.json        how you show yourself
privacy.json        who may write to you and know what of you, where you changed it
presence.json       when you were seen last, and your status
bots.json           your bots and their commands
credentials.json    logins, API keys and invitations, without their secrets
sessions.json       your devices and what they subscribe to
contacts.json       whom you want as contacts, and who wants you
blocks.json         whom you block
rooms.json          rooms and conversations you are in, your role, your settings, how far you have read
invitations.json    rooms you are invited to
requests.json       rooms you asked to join
sanctions.json      bans and mutes of you
events.jsonl        what happened to you: invitations, roles, …
notifications.jsonl your notifications
messages/           what you wrote in each room you are or were in, reactions and edits included
direct/             your direct conversations, whole

Times are Unix ms. A file .jsonl has one JSON object a line. What was deleted, has expired or was dropped by retention is not there.
`

const INCOMPLETE = (maxBytes: number, names: readonly string[]): string =>
  `An export has at most ${maxBytes} bytes of messages. Left out, wholly or after a number:\n\n${names.join('\n')}\n`
