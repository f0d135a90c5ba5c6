/** What the system shows: one notification for each room, which leads to its newest message. */
import { directPeer } from '../../../schemas/ids.js'
import type { Chat, ChatEvents, RoomSummary } from '../../index.js'
import { previewOf, titleOf } from '../rooms/titles.js'
import { notifying } from '../state/notifying.js'
import { pathTo } from '../state/router.js'
import { locale } from '../text/text.js'
import { plainLine } from '../ui/plain.js'
import { notificationTexts } from './texts.js'

type Message = ChatEvents['message']

/** What a notification knows of its message; the service worker reads `path`. */
interface Told {
  readonly path: string
  readonly room: string
  readonly seq: number
}

interface Options extends NotificationOptions {
  /** Of lib.dom, where it is not yet: the same room tells of itself again. */
  readonly renotify: boolean
}

/** Undefined: there is none, as in a browser that keeps nothing; `ready` would wait for one for ever. */
const registration = () => navigator.serviceWorker.getRegistration()

const notifications = async (): Promise<Notification[]> => (await (await registration())?.getNotifications()) ?? []

export async function showNotification(me: string, chat: Chat, message: Message): Promise<void> {
  const { room, seq } = message
  const t = notificationTexts.peek()
  const data: Told = { path: pathTo('message', { room, seq }), room, seq }
  const options: Options = {
    body: notifying.peek() === 'text' ? previewOf(message) : t.newMessage,
    tag: room,
    renotify: true,
    lang: locale.peek(),
    icon: document.querySelector<HTMLLinkElement>('link[rel="apple-touch-icon"]')!.href,
    data,
  }
  await (await registration())?.showNotification(titleFor(me, chat, message), options)
}

function titleFor(me: string, chat: Chat, { room, from }: Message): string {
  const info = chat.room(room).info.current
  const title = titleOf(room, info, me)
  const sender = plainLine(chat.users.profile(from).current?.name ?? '', from)
  return room.startsWith('dm:') && directPeer(room, me) === from
    ? title
    : notificationTexts.peek().inRoom(sender, title)
}

/** Those of messages that were read, here or elsewhere. */
export async function removeRead(rooms: readonly RoomSummary[]): Promise<void> {
  const places = new Map(rooms.map(({ room, read }) => [room, read]))
  for (const notification of await notifications()) {
    const { room, seq } = notification.data as Told
    if ((places.get(room) ?? seq) >= seq) notification.close()
  }
}

export async function removeNotifications(): Promise<void> {
  for (const notification of await notifications()) notification.close()
}
