/** What keys do that do not type. */
import type { Names } from '../names.js'
import type { Composer } from './composer.js'
import type { Ending } from './ending.js'
import type { Action } from './keys.js'
import type { Painter } from './painter.js'
import type { RoomNumbers } from './room-numbers.js'
import type { RoomView } from './room-view.js'
import type { Terminal } from './terminal.js'

export interface ActionDeps {
  readonly composer: Composer
  readonly ending: Ending
  readonly names: Names
  readonly numbers: RoomNumbers
  readonly painter: Painter
  readonly terminal: Terminal
  /** What is open. */
  readonly view: RoomView
  show(room: string): void
  /** Turns a page up (-1) or down (1). */
  page(direction: -1 | 1): Promise<void>
}

/** Rejects with an error that says why not. */
export async function act(action: Action, deps: ActionDeps): Promise<void> {
  const { composer, numbers, view } = deps
  switch (action.kind) {
    case 'quit':
      return deps.ending.quit()
    case 'suspend':
      return deps.terminal.suspend()
    case 'redraw':
      return deps.painter.redraw()
    case 'clear':
      return composer.clear()
    case 'newline':
      return composer.newline()
    case 'complete':
      return composer.complete(deps.names.candidates(view.room))
    case 'editLast':
      return editLast(deps)
    case 'newest':
      return view.follow()
    case 'page':
      return deps.page(action.direction)
    case 'room':
      return showKnown(deps, numbers.at(action.number))
    case 'next':
      return showKnown(deps, numbers.beside(view.room.id, action.by))
  }
}

function editLast({ composer, view }: ActionDeps): void {
  const own = view.items.findLast((item) => item.kind === 'message' && item.own && item.message.seq > 0)
  if (own?.kind === 'message' && own.message.text !== undefined) composer.edit(own.message.seq, own.message.text)
}

function showKnown({ show }: ActionDeps, room: string | undefined): void {
  if (room !== undefined) show(room)
}
