import type { Profile, Room } from '../../index.js'
import { findEmoji } from '../emoji/table.js'
import { usePresent } from '../state/context.js'
import { signalOf } from '../state/live.js'
import { plainLine } from '../ui/plain.js'
import { useLate } from '../ui/use-late.js'
import { useRequest } from '../ui/use-request.js'
import { commandsOf } from './commands.js'
import { noteFound } from './mentions.js'
import type { Suggestion } from './suggestion.js'
import { completionTexts } from './texts.js'
import type { Token } from './token.js'

/** Shown at a time. */
const MOST = 8

export function useSuggestions(room: Room, { kind, query }: Token): readonly Suggestion[] {
  const people = usePeople(room, kind === 'person' ? query : null)
  const { chat } = usePresent()
  if (kind === 'person') return people
  if (kind === 'emoji')
    return findEmoji(query, MOST).map(({ emoji, names }) => ({
      ...{ key: names[0]!, text: emoji, sign: emoji, name: `:${names[0]!}:`, hint: '' },
    }))
  const commands = commandsOf(chat, room.id).value ?? []
  return commands
    .filter(({ name }) => name.startsWith(query))
    .slice(0, MOST)
    .map(({ name, description, usage = '', bot }) => ({
      ...{ key: name, text: `/${name}`, sign: '/' },
      name: usage === '' ? name : `${name} ${usage}`,
      hint: `${plainLine(description)} · ${bot}`,
    }))
}

/** Members first, then others by what the broker finds. @param query Null: nobody is asked for */
function usePeople(room: Room, query: string | null): readonly Suggestion[] {
  const { chat, user: me } = usePresent()
  const t = completionTexts.value
  const wanted = (query ?? '').toLowerCase()
  const late = useLate(query ?? '')
  const found = useRequest(late, async (signal) => {
    if (late === '') return []
    const { users } = await chat.ask.users.search({ query: late, limit: MOST }, { signal })
    noteFound(
      chat,
      users.map(({ user }) => user),
    )
    return users
  })
  if (query === null) return []
  const nameOf = (user: string): string => signalOf(chat.users.profile(user)).value?.name ?? ''
  const fits = (user: string, name: string): boolean =>
    [user, ...name.split(/\s+/)].some((word) => word.toLowerCase().startsWith(wanted))
  const members = signalOf(room.members).value.list.map(({ user }) => user)
  const inRoom = members.filter((user) => user !== me && fits(user, nameOf(user)))
  const others = found.state === 'done' ? found.value : []
  const beside = others.filter(({ user, name }) => user !== me && !members.includes(user) && fits(user, name ?? ''))
  const role = signalOf(room.info).value?.role
  const all = 'room'.startsWith(wanted) && (role === 'owner' || role === 'admin' || role === 'moderator')
  return [
    ...inRoom.map((user) => personOf(user, nameOf(user), '')),
    ...(all ? [{ key: '@room', text: '@room', sign: '@', name: 'room', hint: t.everyone }] : []),
    ...beside.map((one: Pick<Profile, 'user' | 'name'>) => personOf(one.user, one.name ?? '', t.notMember)),
  ].slice(0, MOST)
}

function personOf(user: string, name: string, more: string): Suggestion {
  const shown = plainLine(name)
  const hints = [shown === user ? '' : shown, more].filter((one) => one !== '')
  return { key: user, text: `@${user}`, sign: '@', name: user, hint: hints.join(' · ') }
}
