import { textsOf } from '../text/text.js'
import { en } from './texts/en.js'

/** Of what is loaded when pictures are opened, or sound is recorded and played. */
export const fileTexts = await textsOf(en, {
  zh: async () => (await import('./texts/zh.js')).zh,
  ar: async () => (await import('./texts/ar.js')).ar,
})
