/** Texts of the pages of who is not logged in, and of what a login is about. */
import { textsOf } from '../text/text.js'
import { en } from './texts/en.js'

export const accountTexts = await textsOf(en, {
  zh: async () => (await import('./texts/zh.js')).zh,
  ar: async () => (await import('./texts/ar.js')).ar,
})
