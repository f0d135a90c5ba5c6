/** Rooms and people by what is typed of their names. */
import type { RoomSummary } from '../../index.js'
import { peerOf, titleOf } from '../rooms/titles.js'
import { pathTo } from '../state/router.js'
import { fit } from './fit.js'
import { fold } from './hits.js'

export interface Place {
  readonly path: string
  /** Whose picture it has. */
  readonly avatar: string
  readonly title: string
  /** Its address; null: it has none but its name. */
  readonly more: string | null
  readonly unread: number
}

interface PlacesInput {
  readonly query: string
  readonly me: string
  /** The most active one first. */
  readonly rooms: readonly RoomSummary[]
  /** Some may have a conversation, or be named twice. */
  readonly people: readonly { readonly user: string; readonly name: string | null }[]
}

const MOST = 30

/** The best ones first; of those that fit alike, the most active one. */
export function placesOf({ query, me, rooms, people }: PlacesInput): readonly Place[] {
  const all = new Map<string, Place>()
  const add = (place: Place): void => {
    if (!all.has(place.path)) all.set(place.path, place)
  }
  for (const { room, info, unread } of rooms) {
    const peer = peerOf(room, me)
    const path = peer === null ? pathTo('room', { room }) : pathTo('user', { user: peer })
    add({ path, avatar: peer ?? room, title: titleOf(room, info, me), more: peer ?? room, unread })
  }
  for (const { user, name } of people)
    add({ path: pathTo('user', { user }), avatar: user, title: name ?? user, more: user, unread: 0 })
  const wanted = fold(query)
  const scored = [...all.values()].map((place) => ({ place, score: scoreOf(place, wanted) }))
  // A sort is stable: what fits alike stays in the order of activity.
  const fitting = scored.filter(({ score }) => score > 0).sort((a, b) => b.score - a.score)
  return fitting.slice(0, MOST).map(({ place }) => place)
}

function scoreOf({ title, more }: Place, wanted: string): number {
  return Math.max(fit(fold(title), wanted), more === null ? 0 : fit(fold(more), wanted))
}
