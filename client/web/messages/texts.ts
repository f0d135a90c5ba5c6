/** Texts of what is shown of one message over the page, and of threads. */
import { textsOf } from '../text/text.js'
import { en } from './texts/en.js'

export const texts = await textsOf(en, {
  zh: async () => (await import('./texts/zh.js')).zh,
  ar: async () => (await import('./texts/ar.js')).ar,
})
