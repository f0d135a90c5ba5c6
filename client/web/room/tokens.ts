/**
 * What stands in a text: code, addresses, people, rooms. Put together, the tokens are the text again. Each character is looked at a bounded
 * number of times, whatever the text says.
 */
export type Token = { readonly text: string } & (
  | { readonly kind: 'text' }
  /** An address on the web. */
  | { readonly kind: 'link' }
  /** `path`: of a page of this app. */
  | { readonly kind: 'page'; readonly path: string }
  | { readonly kind: 'mention'; readonly user: string }
  | { readonly kind: 'room'; readonly room: string }
  /** `code`: without what marks it. */
  | { readonly kind: 'code' | 'block'; readonly code: string }
)

/** What a text may refer to. */
export interface Surroundings {
  /** As the message says: `@user` or `@room`, in any case of letters. */
  readonly mentions: readonly string[]
  /** Of this server. */
  readonly origin: string
  isPage(path: string): boolean
  isRoom(id: string): boolean
}

/** Beyond them the rest of a text is plain: each is an element of the page. */
const MOST = 500

/** What may begin something that is no plain text. */
const START = /`+|\bhttps?:\/\/|[@#]/giu
const ADDRESS = /https?:\/\/[^\s<>"'`\p{Cc}\p{Bidi_Control}]{1,2000}/iuy
/** What ends a sentence, not an address. */
const ENDING = '.,;:!?…)]}\'"»'
const ID = /[A-Za-z0-9][A-Za-z0-9._@|~-]{0,127}/y
const ID_ENDING = '._@|~-'
const WORD = /[\p{L}\p{N}_]/u
const FENCE = '```'
/** The line that begins a block of code; it may name a language. */
const OPENING = / {0,3}[\w+#.-]{0,30}[^\S\n]{0,30}\n/y

/** What begins at `at`; null: nothing does. */
type Reader = (text: string, at: number, around: Surroundings) => Token | null

export function tokensOf(text: string, around: Surroundings): Token[] {
  const tokens: Token[] = []
  let end = 0
  /** A block that is not closed is none, and nor is any after it. */
  let mayBlock = text.includes(`\n${FENCE}`)
  START.lastIndex = 0
  for (let start = START.exec(text); start && tokens.length < MOST; start = START.exec(text)) {
    const { index, 0: found } = start
    const isFence = found === FENCE && mayBlock && isLineStart(text, index)
    const token = (isFence ? blockAt : readerOf(found))(text, index, around)
    if (isFence && !token) mayBlock = text.indexOf(`\n${FENCE}`, index + 1) >= 0
    if (!token) continue
    if (index > end) tokens.push({ kind: 'text', text: text.slice(end, index) })
    tokens.push(token)
    end = index + token.text.length
    START.lastIndex = end
  }
  if (end < text.length) tokens.push({ kind: 'text', text: text.slice(end) })
  return tokens
}

/** A few emoji and nothing else: they are shown large. */
export function isEmojiOnly(text: string): boolean {
  return (
    text.length <= 32 &&
    /^(?:\p{RI}\p{RI}|\p{Extended_Pictographic}[\u{1F3FB}-\u{1F3FF}\uFE0F\u200D]*|\s)+$/u.test(text)
  )
}

function readerOf(found: string): Reader {
  if (found === '@') return mentionAt
  if (found === '#') return roomAt
  return found.startsWith('`') ? spanAt : addressAt
}

const addressAt: Reader = (text, at, { origin, isPage }) => {
  const address = withoutEnding(matchAt(ADDRESS, text, at) ?? '')
  if (!URL.canParse(address)) return address === '' ? null : { kind: 'text', text: address }
  const url = new URL(address)
  const path = url.origin === origin && url.search === '' && url.hash === '' ? url.pathname : null
  return path !== null && isPage(path) ? { kind: 'page', text: address, path } : { kind: 'link', text: address }
}

/** A bracket that closes one of the address belongs to it. */
function withoutEnding(address: string): string {
  const cut = without(ENDING, address)
  return address[cut.length] === ')' && cut.split('(').length > cut.split(')').length ? `${cut})` : cut
}

const mentionAt: Reader = (text, at, { mentions }) => {
  const user = mentions.length > 0 ? idAfter(text, at) : null
  const said = `@${user}`.toLowerCase()
  const mention = mentions.find((one) => one.toLowerCase() === said)
  return user && mention ? { kind: 'mention', text: `@${user}`, user: mention.slice(1) } : null
}

const roomAt: Reader = (text, at, { isRoom }) => {
  const room = idAfter(text, at)
  return room && isRoom(room) ? { kind: 'room', text: `#${room}`, room } : null
}

/** The id after the sign at `at`, which does not stand within a word, without what ends a sentence. */
function idAfter(text: string, at: number): string | null {
  if (at > 0 && WORD.test(text[at - 1]!)) return null
  return without(ID_ENDING, matchAt(ID, text, at + 1) ?? '') || null
}

/** Between two backticks of one line. */
const spanAt: Reader = (text, at) => {
  if (text[at + 1] === '`') return null
  const end = text.indexOf('`', at + 1)
  const code = text.slice(at + 1, Math.max(end, at + 1))
  return code.trim() === '' || code.includes('\n') ? null : { kind: 'code', text: `\`${code}\``, code }
}

/** Lines between two of backticks, with the rest of the last one if that is empty. */
const blockAt: Reader = (text, at) => {
  const opening = matchAt(OPENING, text, at + FENCE.length)
  if (opening === null) return null
  const begin = at + FENCE.length + opening.length
  const end = text.indexOf(`\n${FENCE}`, begin - 1)
  if (end < 0) return null
  const after = end + 1 + FENCE.length
  const rest = text[after] === '\n' ? 1 : 0
  return { kind: 'block', text: text.slice(at, after + rest), code: text.slice(begin, end) }
}

function isLineStart(text: string, at: number): boolean {
  return at === 0 || text[at - 1] === '\n'
}

function without(ending: string, text: string): string {
  let end = text.length
  while (end > 0 && ending.includes(text[end - 1]!)) end--
  return text.slice(0, end)
}

function matchAt(pattern: RegExp, text: string, at: number): string | null {
  pattern.lastIndex = at
  return pattern.exec(text)?.[0] ?? null
}
