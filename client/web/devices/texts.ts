import { textsOf } from '../text/text.js'
import { en } from './texts/en.js'

export const deviceTexts = await textsOf(en, {
  zh: async () => (await import('./texts/zh.js')).zh,
  ar: async () => (await import('./texts/ar.js')).ar,
})
