/** Normalises emoji, so that a reaction with and without variation selector (U+FE0F) counts as the same emoji. */

/** Emoji whose default presentation is text; with a skin tone modifier they are already shown in colour. */
const TEXT_BY_DEFAULT =
  /(?!\p{Emoji_Presentation})(?=\p{Emoji})\p{Extended_Pictographic}(?!\ufe0f|\p{Emoji_Modifier})/gu
const KEYCAP = /([0-9#*])\u20e3/g
const SELECTORS = /[\ufe0e\ufe0f]/g

/** The fully qualified form, as Unicode defines it. */
export function normalizeEmoji(emoji: string): string {
  const bare = emoji.normalize('NFC').replace(SELECTORS, '')
  return bare.replace(TEXT_BY_DEFAULT, '$&\ufe0f').replace(KEYCAP, '$1\ufe0f\u20e3')
}
