import { useState } from 'preact/hooks'
import type { Present } from '../state/context.js'
import { isRoomPath, pathTo } from '../state/router.js'
import { texts } from '../text/text.js'
import { Link } from '../ui/link.js'
import { CodeBlock } from './code-block.js'
import { beginningOf, isLong } from './folded.js'
import { isEmojiOnly, type Token, tokensOf } from './tokens.js'

/** Words of a person. They are text, whatever they say. They are no component, as most rows have them. @param mentions As the message says */
export function textOf(text: string, mentions: readonly string[], { chat, user }: Present) {
  const isRoom = (id: string): boolean => chat.rooms.current.some(({ room }) => room === id)
  const tokens = tokensOf(text, { mentions, origin: location.origin, isPage: isRoomPath, isRoom })
  if (isLong(text)) return <LongText tokens={tokens} me={user} />
  return (
    <div class={isEmojiOnly(text) ? 'message-text large' : 'message-text'} dir="auto">
      {wordsOf(tokens, user)}
    </div>
  )
}

/** Its beginning, until the reader wants all of it. */
function LongText({ tokens, me }: { tokens: readonly Token[]; me: string }) {
  const [isWhole, setWhole] = useState(false)
  return (
    <>
      <div class={isWhole ? 'message-text' : 'message-text folded'} dir="auto">
        {wordsOf(isWhole ? tokens : beginningOf(tokens), me)}
        {!isWhole && '…'}
      </div>
      {!isWhole && <Unfold unfold={() => setWhole(true)} />}
    </>
  )
}

function wordsOf(tokens: readonly Token[], me: string) {
  // biome-ignore lint/suspicious/noArrayIndexKey: a token is what stands at its place of the text
  return tokens.map((token, at) => (token.kind === 'text' ? token.text : <Said key={at} token={token} me={me} />))
}

/** The message stays where it is, also at the end of the list; its row has the focus. */
function Unfold({ unfold }: { unfold: () => void }) {
  const show = ({ currentTarget }: { currentTarget: HTMLElement }): void => {
    currentTarget.closest<HTMLElement>('[data-row]')?.focus({ preventScroll: true })
    currentTarget.dispatchEvent(new Event('unfold', { bubbles: true }))
    unfold()
  }
  return (
    <button type="button" class="button small" onClick={show}>
      {texts.value.showAll}
    </button>
  )
}

function Said({ token, me }: { token: Token; me: string }) {
  const { text } = token
  switch (token.kind) {
    case 'text':
      return <>{text}</>
    case 'link':
      return (
        <a href={text} target="_blank" rel="noopener noreferrer nofollow ugc">
          {text}
        </a>
      )
    case 'page':
      return <Link to={token.path}>{text}</Link>
    case 'room':
      return <Link to={pathTo('room', { room: token.room })}>{text}</Link>
    case 'mention':
      return <Mention text={text} user={token.user} me={me} />
    case 'code':
      return <code>{token.code}</code>
    case 'block':
      return <CodeBlock code={token.code} />
  }
}

/** Of all members, of the reader, or of somebody to whom one may write. */
function Mention({ text, user, me }: { text: string; user: string; me: string }) {
  const isMe = user.toLowerCase() === me.toLowerCase()
  if (isMe || user === 'room') return <mark class="mention">{text}</mark>
  return (
    <Link class="mention" to={pathTo('user', { user })}>
      {text}
    </Link>
  )
}
