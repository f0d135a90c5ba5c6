import { textsOf } from '../text/text.js'
import { en } from './texts/en.js'

/** Of what is offered while one writes. */
export const completionTexts = await textsOf(en, {
  zh: async () => (await import('./texts/zh.js')).zh,
  ar: async () => (await import('./texts/ar.js')).ar,
})
