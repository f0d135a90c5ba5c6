import { useRef } from 'preact/hooks'
import { usePresent } from '../state/context.js'
import { signalOf } from '../state/live.js'
import { texts } from '../text/text.js'
import { hueOf } from '../ui/avatar.js'
import { lazy } from '../ui/lazy.js'
import { Name } from '../ui/name.js'
import { PersonAvatar } from '../ui/person-avatar.js'
import { fullTimeOf, timeOf } from '../ui/times.js'
import { bodyOf } from './message-body.js'
import { Quote } from './quote.js'
import { Reactions } from './reactions.js'
import { Replies } from './replies.js'
import { SendState } from './send-state.js'
import type { ShownMessage } from './shown-message.js'
import { useAttention } from './use-attention.js'

const tools = () => import('./message-tools.js')
const MessageTools = lazy(async () => ({ default: (await tools()).MessageTools }), true)
const MessageMenu = lazy(async () => ({ default: (await tools()).MessageMenu }), true)
const FailedChanges = lazy(() => import('./failed-changes.js'), true)

interface MessageRowProps {
  readonly rowKey: string
  readonly item: ShownMessage
  /** Of those of one author that stand together. */
  readonly isFirst: boolean
  readonly isEntry: boolean
}

export function MessageRow({ rowKey, item, isFirst, isEntry }: MessageRowProps) {
  const t = texts.value
  const present = usePresent()
  const { message, own, outgoing } = item
  const profile = signalOf(present.chat.users.profile(message.from)).value
  const name = profile?.name ?? message.from
  const { hasTools, isMenuOpen, setMenuOpen, hold, handlers } = useAttention()
  const row = useRef<HTMLElement>(null)
  const classes = ['message', own && 'own', isFirst && 'first'].filter(Boolean).join(' ')
  return (
    <article
      class={classes}
      ref={row}
      data-row={rowKey}
      {...(message.seq > 0 ? { 'data-seq': message.seq } : {})}
      data-entry
      tabIndex={isEntry ? 0 : -1}
      {...handlers}
    >
      <span class="message-avatar">{isFirst && !own && <PersonAvatar user={message.from} size="small" />}</span>
      <div class="message-column">
        <div class="bubble">
          <header class={isFirst && !own ? `author hue-${hueOf(message.from)}` : 'hidden-text'}>
            <Name text={own ? t.you : name} fallback={message.from} />
          </header>
          {message.replyTo !== undefined && <Quote seq={message.replyTo} />}
          <div class="bubble-lines">
            {bodyOf(message, outgoing, present)}
            <footer class="message-meta">
              {message.editedAt !== undefined && <span title={fullTimeOf(message.editedAt)}>{t.edited}</span>}
              <time dateTime={new Date(message.ts).toISOString()} title={fullTimeOf(message.ts)}>
                {timeOf(message.ts)}
              </time>
              {own && <SendState message={message} outgoing={outgoing} />}
            </footer>
          </div>
          {message.replies && <Replies item={item} />}
        </div>
        {message.reactions && <Reactions item={item} />}
        {item.changes && <FailedChanges changes={item.changes} />}
      </div>
      {hasTools && <MessageTools item={item} onToggle={hold} />}
      {isMenuOpen && (
        <MessageMenu
          item={item}
          place={() => row.current!.querySelector('.bubble')!.getBoundingClientRect()}
          close={() => {
            setMenuOpen(false)
            row.current?.focus({ preventScroll: true })
          }}
        />
      )}
    </article>
  )
}
