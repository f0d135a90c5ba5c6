/** Texts of what happens in a room, between its messages. */
import { textsOf } from '../text/text.js'
import { en } from './event-texts/en.js'

export const eventTexts = await textsOf(en, {
  zh: async () => (await import('./event-texts/zh.js')).zh,
  ar: async () => (await import('./event-texts/ar.js')).ar,
})
