/** Notifications of the system: those that a push brings, and what a click on any of them does. */
declare const self: ServiceWorkerGlobalScope

/** As in Declarative Web Push, which browsers that know it show without a worker. */
interface Pushed {
  readonly notification: {
    readonly title: string
    readonly body?: string
    readonly tag?: string
    /** Where a click leads, on this origin. */
    readonly navigate: string
  }
}

export async function pushed(data: PushMessageData): Promise<void> {
  const { notification } = data.json() as Pushed
  const { title, navigate, ...options } = notification
  await self.registration.showNotification(title, { ...options, data: { path: navigate } })
}

/** In the page that was used last, if there is one; else in a new one. */
export async function clicked(notification: Notification): Promise<void> {
  notification.close()
  const { path } = notification.data as { path: string }
  const url = new URL(path, self.location.origin)
  if (url.origin !== self.location.origin) return
  const [page] = await self.clients.matchAll({ type: 'window' })
  if (!page) {
    await self.clients.openWindow(url.href)
    return
  }
  page.postMessage({ open: url.pathname })
  await page.focus()
}
