import { useComputed } from '@preact/signals'
import { useRef, useState } from 'preact/hooks'
import { directRoom } from '../../../schemas/ids.js'
import { receiptOf } from '../../index.js'
import { peerOf } from '../rooms/titles.js'
import { usePresent } from '../state/context.js'
import { signalOf } from '../state/live.js'
import { navigate, pathTo } from '../state/router.js'
import { texts } from '../text/text.js'
import { Icon } from '../ui/icon.js'
import { MenuList } from '../ui/menu.js'
import { plainLine } from '../ui/plain.js'
import { Mark } from './mark.js'

interface Sent {
  readonly room: string
  readonly seq: number
}

/** How far an own message has come: to a person in a conversation, to how many in a room. Of large rooms the broker tells nothing. */
export function ReadMark({ room, seq }: Sent) {
  const t = texts.value
  const { chat, user } = usePresent()
  const receipts = signalOf(chat.room(room).receipts)
  const state = useComputed(() => receiptOf(receipts.value, seq)).value
  const readers = useComputed(() => readersOf(receipts.value.members, seq).length).value
  if (readers > 0 && peerOf(room, user) === null) return <SeenBy room={room} seq={seq} count={readers} />
  const text = { sent: t.sent, delivered: t.delivered, read: t.read }[state]
  return <Mark kind={state} text={text} />
}

function SeenBy({ room, seq, count }: Sent & { readonly count: number }) {
  const t = texts.value
  const button = useRef<HTMLButtonElement>(null)
  const [isOpen, setOpen] = useState(false)
  const close = (): void => {
    setOpen(false)
    button.current?.focus()
  }
  return (
    <>
      <button
        ref={button}
        type="button"
        class="mark sent read seen"
        title={t.seenBy(count)}
        aria-label={t.seenBy(count)}
        aria-haspopup="menu"
        aria-expanded={isOpen}
        onClick={() => setOpen(!isOpen)}
      >
        <Icon name="delivered" />
        <span aria-hidden="true">{count}</span>
      </button>
      {isOpen && <Readers room={room} seq={seq} place={() => button.current!.getBoundingClientRect()} close={close} />}
    </>
  )
}

/** Readers that are named; a room whose receipts are told has not many more. */
const MOST = 50

function Readers({ room, seq, place, close }: Sent & { readonly place: () => DOMRect; readonly close: () => void }) {
  const { chat, user: me } = usePresent()
  const readers = readersOf(signalOf(chat.room(room).receipts).value.members, seq).slice(0, MOST)
  const items = readers.map((user) => ({
    text: plainLine(signalOf(chat.users.profile(user)).value?.name ?? '', user),
    act: () => navigate(pathTo('room', { room: directRoom(me, user) })),
  }))
  return <MenuList label={texts.value.seenBy(readers.length)} items={items} place={place} close={close} />
}

function readersOf(members: ReadonlyMap<string, { readonly read: number }>, seq: number): string[] {
  return [...members].flatMap(([user, { read }]) => (read >= seq ? [user] : []))
}
