/** The files of an account export: all data of a user. Logs are read page by page, no faster than the download. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { directPeer } from '../../../schemas/ids.js'
import { topics } from '../../../schemas/topics.js'
import type { LogName } from '../../store/log-name.js'
import type { LogEntry } from '../../store/logs.js'
import type { MemberRecord } from '../../store/rooms.js'
import type { Store } from '../../store/store.js'
import { roomsTouchedBy } from '../../store/touched-rooms.js'
import { fileView } from '../files/file-view.js'
import { hiddenFrom, logs } from '../model/views.js'
import { noticesBefore } from '../notices/notice-state.js'

/** Entries and bytes per read. */
const PAGE = 200
const PAGE_BYTES = 256 * 1024
/** Maximum number of finished commands per device; an id greater than all. */
const MOST_COMMANDS = 1000
const LAST_ID = 'g'
/** More private values than a user may have by any configuration. */
const MOST_VALUES = 100_000
const NOTIFICATIONS = logs.notifications('')
const BROADCAST = logs.broadcast('')

export interface ExportFile {
  readonly name: string
  /** Pieces of the text. */
  readonly text: AsyncIterable<string>
}

/** @param maxBytes limit for the logs; what exceeds it is left out, and listed in the last file */
export async function* accountFiles(store: Store, user: string, maxBytes: number): AsyncGenerator<ExportFile> {
  const budget = { left: maxBytes, leftOut: [] as string[] }
  yield { name: 'README.txt', text: once(README(user)) }
  for (const [name, read] of Object.entries(RECORDS))
    yield { name: `${name}.json`, text: once(`${JSON.stringify(await read(store, user), null, 2)}\n`) }
  for (const { name, ...lines } of await logFiles(store, user)) {
    if (budget.left <= 0) budget.leftOut.push(name)
    else yield { name, text: linesOf(store, { name, ...lines }, budget) }
  }
  yield { name: 'announcements.jsonl', text: announcedLines(store, user, budget) }
  yield { name: 'sent-notifications.jsonl', text: sentLines(store, user) }
  if (budget.leftOut.length > 0) yield { name: 'INCOMPLETE.txt', text: once(INCOMPLETE(maxBytes, budget.leftOut)) }
}

interface LogFile {
  readonly name: string
  readonly log: LogName
  readonly after: number
  /** Which entries belong to the user. */
  readonly pick: (entry: LogEntry) => boolean
}

const all = (): boolean => true

async function logFiles(store: Store, user: string): Promise<LogFile[]> {
  const mine = (entry: LogEntry): boolean => entry.from === user
  const files: LogFile[] = [
    { name: 'events.jsonl', log: logs.userEvents(user), after: 0, pick: all },
    { name: 'notifications.jsonl', log: logs.notifications(user), after: 0, pick: all },
    { name: 'acts.jsonl', log: logs.audit(), after: 0, pick: mine },
  ]
  for (const room of roomsTouchedBy(store.directory, user)) {
    const log = logs.messages(room)
    const member = store.directory.member(room, user)
    const after = member ? hiddenFrom(member) : 0
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
    // Yields to the event loop, because pages in memory are read without waiting.
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

async function* announcedLines(
  store: Store,
  user: string,
  budget: { left: number; leftOut: string[] },
): AsyncGenerator<string> {
  const pick = (entry: LogEntry): boolean => entry.from === user
  for await (const log of store.log.names())
    if (log.startsWith(BROADCAST))
      yield* linesOf(
        store,
        { name: `announcements.jsonl of ${log.slice(BROADCAST.length)}`, log, after: 0, pick },
        budget,
      )
}

/** Notifications that the user sent to others and that still exist. */
async function* sentLines(store: Store, user: string): AsyncGenerator<string> {
  for await (const log of store.log.names()) {
    if (!log.startsWith(NOTIFICATIONS)) continue
    await nextTurn()
    for await (const { seq, from } of noticesBefore(store.notes, log, Number.MAX_SAFE_INTEGER)) {
      if (from !== user) continue
      const [entry] = await store.log.read(log, seq - 1, 1, 1)
      if (entry?.seq !== seq) continue
      const notification = JSON.parse(entry.payload.toString('utf8'))
      yield `${JSON.stringify({ to: log.slice(NOTIFICATIONS.length), ...notification })}\n`
    }
  }
}

async function* once(text: string): AsyncGenerator<string> {
  yield text
}

type Read = (store: Store, user: string) => unknown

const RECORDS: Readonly<Record<string, Read>> = {
  account: async ({ directory, accounts, expiring }, user) => {
    const { roles = [], createdAt = null, passwordHash = null, external = null } = (await directory.user(user)) ?? {}
    const factor = await accounts.secondFactor(user)
    const secondFactor = factor?.confirmedAt ? { since: factor.confirmedAt } : null
    const known = (await expiring.get('knownNetworks', user, Date.now()))?.networks ?? []
    const networks = known.map(([network, at]) => ({ network, at }))
    return { user, roles, createdAt, password: passwordHash !== null, secondFactor, external, networks }
  },
  profile: ({ directory }, user) => directory.profile(user),
  files: ({ directory }, user) => uploadedBy(directory, user),
  privacy: ({ directory }, user) => directory.privacy.get(user) ?? null,
  'notification-settings': ({ directory }, user) => directory.notificationSettings.get(user) ?? null,
  'account-data': ({ directory }, user) => directory.accountData.list(user, '', MOST_VALUES),
  saved: ({ directory }, user) => directory.saved.list(user, null),
  presence: async ({ directory }, user) => directory.presence.get(user) ?? null,
  bots: ({ directory }, user) => directory.bots.ofOwner(user),
  devices: async (store, user) => {
    const { devices } = store.directory
    const own = [...devices.ownedBy(user).values()].map((device) => ({
      ...device,
      shares: [...devices.shares.of(device.device).values()],
      offers: [...devices.offers.of(device.device).values()],
      bridges: [...devices.bridges.of(device.device).values()],
    }))
    const offered = [...devices.offeredTo(user).values()]
    const shared = [...devices.sharedWith(user).values()]
    const within = [...own, ...shared].map(({ device }) => commandsOf(store, user, device))
    return { own, shared, offered, commands: (await Promise.all(within)).flat() }
  },
  // Includes no report about the user, which would reveal its author.
  reports: ({ moderation }, user) => {
    const all = [...moderation.reports.values()]
    const resolved = all.filter(({ resolution }) => resolution?.by === user)
    return {
      made: all.filter(({ by }) => by === user),
      resolved: resolved.map(({ id, resolution }) => ({ id, resolution })),
    }
  },
  retained: async ({ queue }, user) => {
    const found = []
    for await (const { topic, payload, clientId } of queue.retained(['#', topics.allDevices()]))
      if (clientId?.startsWith(`${user}/`)) found.push({ topic, payload: payload.toString('utf8') })
    return found
  },
  webhooks: async ({ webhooks }, user) => {
    const made = []
    for (const { secret: _, previous: __, ...record } of webhooks.all())
      if (record.createdBy === user) made.push(record)
    return made
  },
  // Without secrets.
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
    wanted: named(directory.addedContacts(user)),
    wantedBy: named(directory.addedBy(user)),
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

function commandsOf({ directory: { devices } }: Store, user: string, device: string) {
  const sent = async () => {
    const open = [...devices.open.of(device).values()]
    const finished = await devices.finishedBefore(device, LAST_ID, MOST_COMMANDS)
    return [...finished.reverse(), ...open].filter(({ by }) => by === user)
  }
  return sent()
}

async function uploadedBy({ files }: Store['directory'], user: string): Promise<object[]> {
  const found: object[] = []
  for (let after = ''; ; ) {
    const ids = await files.ofUser(user, after, PAGE)
    for (const id of ids) {
      const record = await files.get(id)
      if (record) found.push(fileView(record))
    }
    if (ids.length < PAGE) return found
    after = ids.at(-1)!
  }
}

function named(times: ReadonlyMap<string, number>) {
  return [...times].map(([user, at]) => ({ user, at }))
}

function inRooms<T>(directory: Store['directory'], find: (room: string) => T | undefined): T[] {
  return [...directory.rooms()].flatMap(({ id }) => find(id) ?? [])
}

const README = (user: string): string => `What this TopicTalk broker has of ${user}, as of ${new Date().toISOString()}.

account.json        the account: roles, when it was made, who you are at an identity provider, the networks from which you logged in lately; never the password
profile.json        how you show yourself
privacy.json        who may write to you and know what of you, where you changed it
files.json          files you uploaded; each is at /v1/media/ and its id, for as long as you have the account
notification-settings.json  what you are notified of, where you changed it
account-data.json   what applications keep for you
saved.json          messages you saved, by room and number, and what you noted about them
presence.json       when you were seen last, and your status
bots.json           your bots and their commands
devices.json        devices of yours and those shared with you, with bridges, and what you asked of them
reports.json        what you reported and what came of it, and what you decided about the reports of others
retained.json       messages on plain topics that you retained
webhooks.json       webhooks you made, without their secrets
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
sent-notifications.jsonl  notifications you sent to others
acts.jsonl          what you did as an administrator or moderator, as the audit log has it
announcements.jsonl what you announced to everyone
direct/             your direct conversations, whole

Times are Unix ms. A file .jsonl has one JSON object a line. What was deleted, has expired or was dropped by retention is not there.
`

const INCOMPLETE = (maxBytes: number, names: readonly string[]): string =>
  `An export has at most ${maxBytes} bytes of messages. Left out, wholly or after a number:\n\n${names.join('\n')}\n`
