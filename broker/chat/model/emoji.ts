/** One emoji, one spelling: who reacts with a red heart reacts with the same whether or not the client wrote that it is to be in colour. */

/** Emoji that are shown as text where nothing else is said; one with a tone of skin is in colour already. */
const TEXT_BY_DEFAULT =
  /(?!\p{Emoji_Presentation})(?=\p{Emoji})\p{Extended_Pictographic}(?!\ufe0f|\p{Emoji_Modifier})/gu
const KEYCAP = /([0-9#*])\u20e3/g
const SELECTORS = /[\ufe0e\ufe0f]/g

/** As Unicode calls it fully qualified. */
export function normalizeEmoji(emoji: string): string {
  const bare = emoji.normalize('NFC').replace(SELECTORS, '')
  return bare.replace(TEXT_BY_DEFAULT, '$&\ufe0f').replace(KEYCAP, '$1\ufe0f\u20e3')
}
