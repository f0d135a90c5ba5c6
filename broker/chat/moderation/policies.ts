/** The screen that applies policies to messages and edits: those of the broker, and those of the room. */
import { RE2JS } from 're2js'
import { Refusal } from '../../../schemas/errors.js'
import { SYSTEM } from '../../../schemas/ids.js'
import { ATTACHMENT_KEYS, type MessageInput } from '../../../schemas/message.js'
import type { Policies, RoomPolicies } from '../../../schemas/policies.js'
import type { DirectoryStore } from '../../store/directory.js'
import { once } from '../../util/once.js'
import { fold } from '../../util/text-folding.js'
import type { Screen } from '../messages/screening.js'
import type { Actor } from '../model/actor.js'
import type { CheckedMessage } from '../model/message.js'

type Attachment = NonNullable<MessageInput['attachments']>[number]
type AttachmentPolicies = NonNullable<RoomPolicies['attachments']>

/** Schemes that need no slashes; common top-level domains, and those in other scripts. */
const SCHEMES = 'javascript|vbscript|blob|mailto|tel|sms|magnet|intent|tg|skype|facetime|bitcoin|ethereum|xmpp|sips?'
const TOP_LEVELS =
  'com|net|org|info|biz|io|co|app|dev|me|gg|tv|xyz|link|shop|site|online|store|club|top|eu|us|uk|de|fr|es|it|nl|pl|ru|ua|cn|jp|kr|in|br|' +
  'edu|gov|ai|sh|ly|cc|su|cz|ch|se|dk|fi|gr|pt|ro|hu|sk|tk|ml|gq|zip|mov|page|live|news|blog|cloud|tech|space|website|host|icu|mobi|' +
  'ca|au|nz|mx|ar|cl|sg|th|vn|tw|hk|tr|ir|il|za|xn--[a-z0-9-]+'
const OTHER_TOP_LEVELS =
  'рф|рус|москва|онлайн|сайт|орг|ком|дети|укр|бел|бг|ею|срб|мкд|мон|қаз|ελ|ευ|გე|հայ|ישראל|中国|中國|香港|台湾|台灣|新加坡|网址|网络|公司|商城|在线|中文网|移动|みんな|ストア|コム|한국|닷컴|닷넷|' +
  'भारत|বাংলা|ভারত|ਭਾਰਤ|ભારત|இந்தியா|இலங்கை|சிங்கப்பூர்|ලංකා|భారత్|ಭಾರತ|ഭാരതം|ไทย|مصر|السعودية|ایران|امارات|الاردن|المغرب|قطر|تونس|سوريا|عمان|فلسطين|پاکستان|الجزائر|بھارت|بازار|شبكة'
/**
 * What readers or their clients take for a link. The ideographic full stop is a dot in host names [UTS 46], but ends sentences in Chinese
 * and Japanese, so it counts only before Latin top-level domains.
 */
const link = once(() =>
  RE2JS.compile(
    [
      '[a-z][a-z0-9+.-]*://',
      `(?:^|[^\\p{L}\\p{N}])(?:${SCHEMES}):\\S`,
      '(?:^|[^\\p{L}\\p{N}])data:[\\w.+-]*[/;,]',
      '\\bwww[.\\x{3002}]',
      `[\\p{L}\\p{M}\\p{N}][.\\x{3002}](?:${TOP_LEVELS})\\b`,
      `[\\p{L}\\p{M}\\p{N}]\\.(?:${OTHER_TOP_LEVELS})(?:[^\\p{L}\\p{M}\\p{N}]|$)`,
      '\\b\\d{1,3}(?:\\.\\d{1,3}){3}[:/]',
      '\\[[0-9a-f]*:[0-9a-f:.]+\\]',
    ].join('|'),
  ),
)
export class PolicyScreen implements Screen {
  /** Null: they restrict nothing. */
  readonly #brokerPolicies: RoomPolicies | null
  readonly #directory: Pick<DirectoryStore, 'room'>
  readonly #mayModerate: (actor: Actor, room: string) => boolean

  constructor(
    brokerPolicies: Policies,
    directory: Pick<DirectoryStore, 'room'>,
    mayModerate: (actor: Actor, room: string) => boolean,
  ) {
    this.#brokerPolicies = restrictive(brokerPolicies)
    this.#directory = directory
    this.#mayModerate = mayModerate
  }

  screen(actor: Actor, room: string, message: CheckedMessage): undefined {
    const own = this.#directory.room(room)?.policies
    if (!this.#brokerPolicies && !own) return
    const isModerator = actor.principal.user === SYSTEM || this.#mayModerate(actor, room)
    if (this.#brokerPolicies) check(forSender(this.#brokerPolicies, isModerator), message, '')
    if (own) check(forSender(own, isModerator), message, ` of ${room}`)
  }
}

/** What the policies say to one who moderates the room, or not. */
type SenderPolicies = Omit<RoomPolicies, 'links' | 'files'> & Readonly<Record<'links' | 'files', 'allow' | 'deny'>>

function forSender(policies: RoomPolicies, isModerator: boolean): SenderPolicies {
  const { links = 'allow', files = 'allow' } = policies
  const to = (choice: typeof links): 'allow' | 'deny' =>
    choice === 'moderators' ? (isModerator ? 'allow' : 'deny') : choice
  return { ...policies, links: to(links), files: to(files) }
}

/** The policies that restrict something; null: none does. */
function restrictive({ textLength, links, files, customData, attachments }: Policies): RoomPolicies | null {
  const { bytes, ...lists } = attachments
  const all = {
    links,
    files,
    customData,
    attachments: { ...lists, ...(bytes === null ? {} : { bytes }) },
    ...(textLength === null ? {} : { textLength }),
  }
  const { max, types, hosts } = lists
  const nothing = [textLength, bytes].every((most) => most === null) && max >= 32 && types.length + hosts.length === 0
  return nothing && links === 'allow' && files === 'allow' && customData === 'allow' ? null : all
}

/** Types whose data has a schema of its own. */
const DEFINED_DATA: ReadonlySet<string> = new Set(['location', 'encrypted'])

/** `of`: names the policies' room in refusals. @throws Refusal */
function check(policies: SenderPolicies, { text, input }: CheckedMessage, of: string): void {
  if (text !== null) checkText(policies, text, of)
  if (!input || input.type === 'reaction') return
  const own = input.data !== undefined && !DEFINED_DATA.has(input.type ?? 'text')
  if (policies.customData === 'deny' && own) throw denied('data of your own', of, 'data')
  if (input.attachments) checkAttachments(policies, input.attachments, of)
}

function checkText({ textLength, links }: SenderPolicies, text: string, of: string): void {
  // Length in UTF-16 units is compared first: it is never less than the number of characters.
  if (textLength !== undefined && text.length > textLength && [...text].length > textLength)
    throw new Refusal('too_large', `a text has at most ${textLength} characters (policies${of})`, { field: 'text' })
  if (links === 'deny' && link().test(fold(text, true).text)) throw denied('links', of, 'text')
}

function checkAttachments(
  { files, customData, attachments = {} }: SenderPolicies,
  given: Attachment[],
  of: string,
): void {
  const { max } = attachments
  if (max === 0) throw denied('attachments', of, 'attachments')
  if (max !== undefined && given.length > max)
    throw new Refusal('too_large', `a message has at most ${max} attachments (policies${of})`, { field: 'attachments' })
  given.forEach((attachment, i) => {
    if (files === 'deny' && attachment.file !== undefined) throw denied('files', of, `attachments.${i}.file`)
    checkAttachment(attachments, attachment, of, `attachments.${i}`)
    const own = Object.keys(attachment).find((key) => !ATTACHMENT_KEYS.has(key))
    if (customData === 'deny' && own !== undefined) throw denied('data of your own', of, `attachments.${i}.${own}`)
  })
}

function checkAttachment(policies: AttachmentPolicies, { mime, size, url }: Attachment, of: string, at: string): void {
  const { bytes, types = [], hosts = [] } = policies
  if (bytes !== undefined && (size === undefined || size > bytes))
    throw new Refusal('too_large', `an attachment states a size of at most ${bytes} bytes (policies${of})`, {
      field: `${at}.size`,
    })
  if (types.length > 0 && !types.some((type) => isOfType(mime ?? '', type)))
    throw new Refusal('forbidden', `an attachment states a mime of ${types.join(', ')} (policies${of})`, {
      field: `${at}.mime`,
    })
  if (url !== undefined && hosts.length > 0 && !hosts.some((host) => isAt(url, host)))
    throw new Refusal('forbidden', `an attachment lies at ${hosts.join(', ')} (policies${of})`, { field: `${at}.url` })
}

function isOfType(mime: string, type: string): boolean {
  const stated = mime.toLowerCase().split(';')[0]!.trim()
  return type.endsWith('/*') ? stated.startsWith(type.slice(0, -1)) : stated === type
}

/** Accepts only URLs that every parser reads alike: in normalised form, and without credentials. */
function isAt(url: string, host: string): boolean {
  if (!URL.canParse(url)) return false
  const { protocol, hostname, username, password, href } = new URL(url)
  if (protocol !== 'https:' && protocol !== 'http:') return false
  if (username !== '' || password !== '' || (href !== url && href !== `${url}/`)) return false
  return host.startsWith('*.') ? hostname.endsWith(host.slice(1)) : hostname === host
}

function denied(what: string, of: string, field: string): Refusal {
  return new Refusal('forbidden', `${what} may not be sent here (policies${of})`, { field })
}
