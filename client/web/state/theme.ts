/** Light or dark: as the system says, or as the person chose. */
import { signal } from '@preact/signals'
import { save, saved } from './saved.js'

export const THEMES = ['system', 'light', 'dark'] as const
export type Theme = (typeof THEMES)[number]

export const theme = signal<Theme>('system')

export function startTheme(): void {
  const kept = saved('theme')
  show(THEMES.find((one) => one === kept) ?? 'system')
}

export function chooseTheme(chosen: Theme): void {
  save('theme', chosen === 'system' ? null : chosen)
  show(chosen)
}

function show(chosen: Theme): void {
  theme.value = chosen
  document.documentElement.dataset['theme'] = chosen
}
