import { useCallback, useEffect } from 'preact/hooks'
import type { RoomInfo } from '../../index.js'
import { usePresent } from '../state/context.js'
import { askServer, server } from '../state/server.js'
import { texts } from '../text/text.js'
import { limitsOf, refusalOf } from './limits.js'
import { pick, type Tray, trayOf } from './tray.js'

export interface ChosenFiles {
  readonly tray: Tray
  /** Whether files may be sent here. */
  readonly mayAttach: boolean
  /** Puts them into the tray, as far as they may be sent. */
  readonly take: (files: readonly File[]) => void
}

/** @param refused To be told why files were not taken, one sentence for each; empty: all were */
export function useFiles(room: string, info: RoomInfo | null, refused: (why: string[]) => void): ChosenFiles {
  const { chat } = usePresent()
  useEffect(askServer, [])
  const tray = trayOf(chat, room)
  const limits = limitsOf(server.value, info)
  const { most, bytes, types } = limits
  const take = useCallback(
    (files: readonly File[]): void => {
      if (files.length === 0) return
      const why = files.flatMap((file) => refusalOf(file, limits) ?? [])
      const good = files.filter((file) => refusalOf(file, limits) === null)
      const taken = good.slice(0, Math.max(0, most - tray.value.length))
      if (taken.length < good.length) why.push(texts.value.files.tooMany(most))
      pick(tray, taken)
      refused(why)
    },
    [tray, most, bytes, types.join()],
  )
  return { tray, mayAttach: most > 0, take }
}
