/** What may be attached to a message, as far as it is known before the broker has seen it. */
import type { RoomInfo } from '../../index.js'
import type { Server } from '../state/server.js'
import { texts } from '../text/text.js'
import { plainLine } from '../ui/plain.js'
import { bytesText } from './bytes-text.js'

export interface FileLimits {
  /** Files of a message; 0: none may be sent. */
  readonly most: number
  /** Of one file. */
  readonly bytes: number
  /** Media types, such as `image/*`; empty: any. */
  readonly types: readonly string[]
}

/** That the SDK and the broker take in any case. */
const MOST = 32

/** The room can only narrow what the broker allows. */
export function limitsOf(server: Server | null, info: RoomInfo | null): FileLimits {
  const rules = [server?.policies, info?.policies].flatMap((one) => (one ? [one] : []))
  const leads = info?.role === 'owner' || info?.role === 'admin' || info?.role === 'moderator'
  const mayNot = rules.some(({ files }) => files === 'deny' || (files === 'moderators' && !leads))
  const sizes = rules.flatMap(({ attachments }) => attachments?.bytes ?? [])
  const bytes = Math.min(server?.limits.fileBytes ?? Number.POSITIVE_INFINITY, ...sizes)
  return {
    most: mayNot || bytes === 0 ? 0 : Math.min(MOST, ...rules.map(({ attachments }) => attachments?.max ?? MOST)),
    bytes,
    types: rules.map(({ attachments }) => attachments?.types ?? []).findLast((types) => types.length > 0) ?? [],
  }
}

/** Why a file cannot be sent; null: nothing is known against it. */
export function refusalOf({ name, size, type }: File, { bytes, types }: FileLimits): string | null {
  const t = texts.value.files
  const shown = plainLine(name, texts.value.attachment)
  if (size > bytes) return t.tooLarge(shown, bytesText(bytes))
  if (size === 0) return t.empty(shown)
  const isKnown = types.length === 0 || type === '' || types.some((one) => fits(type, one))
  return isKnown ? null : t.wrongType(shown)
}

function fits(type: string, pattern: string): boolean {
  return pattern.endsWith('/*') ? type.startsWith(pattern.slice(0, -1)) : type === pattern
}
