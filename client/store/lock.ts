import type { PlatformSignal } from '../base/platform.js'

/** As `navigator.locks.request`: runs `act` while no other tab runs one of this name. `ifAvailable`: at once, with null if another one does. */
export type Lock = (
  name: string,
  options: { readonly signal: PlatformSignal } | { readonly ifAvailable: true },
  act: (lock: unknown) => Promise<void>,
) => Promise<void>

/** Of a store that no other client can have. */
export const alone: Lock = (_name, _options, act) => act({})
