/** Texts of the menu of a room, and of the dialogs that find and make rooms, and find people. */
import { textsOf } from '../text/text.js'
import { en } from './texts/en.js'

export const dialogTexts = await textsOf(en, {
  zh: async () => (await import('./texts/zh.js')).zh,
  ar: async () => (await import('./texts/ar.js')).ar,
})
