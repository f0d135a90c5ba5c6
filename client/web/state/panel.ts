/** What stands beside the room. It is a step of the history: «back» closes it, and a reload keeps it. */
import { computed } from '@preact/signals'
import type { Panel } from './panel-kinds.js'
import { leaveStep, leaveSteps, pushStep, roomOf, route, step } from './router.js'

export const panel = computed<Panel | null>(() => step.value.panel ?? null)

/** @param replace It belongs to the page that was opened: «back» leads to before both */
export function openPanel(opened: Panel, { replace = false } = {}): void {
  const { panel: before, over = 0, user } = step.peek()
  const isOver = !replace && before && panelAt(before, roomOf(route.peek(), user ?? ''))
  pushStep({ panel: opened, ...(isOver && { over: over + 1 }) }, { replace })
}

/** What is shown of it: a panel of a room stands beside that room alone. */
export function panelAt(open: Panel | null, room: string | null): Panel | null {
  return open && (!('room' in open) || open.room === room) ? open : null
}

/** Nothing stands beside the room then. */
export function closePanel(): void {
  if (panel.peek()) leaveSteps()
}

/** What it was opened from stands there again, if anything. */
export function leavePanel(): void {
  if (panel.peek()) leaveStep()
}

/** The search, which begins anew unless it is open. */
export function openSearch(): void {
  if (panel.peek()?.kind === 'search') document.querySelector<HTMLElement>('.panel input')?.focus()
  else openPanel({ kind: 'search' })
}
