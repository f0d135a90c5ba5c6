/** What the device says of itself. */
import { signal } from '@preact/signals'

/** It knows of no network. That it knows of one says nothing. */
export const isDeviceOffline = signal(!navigator.onLine)

const look = (): void => {
  isDeviceOffline.value = !navigator.onLine
}
addEventListener('online', look)
addEventListener('offline', look)
