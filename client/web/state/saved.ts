/** Small settings of this browser. A browser that keeps nothing is no error: then they last as long as the page. */
export type Setting = 'user' | 'logout' | 'locale' | 'theme' | 'enter' | 'notifying' | 'quiet' | 'lines'

const PREFIX = 'topictalk:'

export function saved(setting: Setting): string | null {
  try {
    return localStorage.getItem(PREFIX + setting)
  } catch {
    return null
  }
}

/** @param value Null: it is removed */
export function save(setting: Setting, value: string | null): void {
  try {
    if (value === null) localStorage.removeItem(PREFIX + setting)
    else localStorage.setItem(PREFIX + setting, value)
  } catch {
    // It is not kept.
  }
}

/** Calls `listener` when another tab has changed it. */
export function onSaved(setting: Setting, listener: (value: string | null) => void): void {
  addEventListener('storage', ({ key, newValue }) => {
    if (key === PREFIX + setting) listener(newValue)
  })
}
