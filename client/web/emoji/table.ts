/** The emoji that are offered, with the names by which they are found (English, as in `:names:`; the first one is what it is called). */

export interface Emoji {
  readonly emoji: string
  /** Lower case, with `_` between words. */
  readonly names: readonly string[]
}

export type EmojiGroup = 'faces' | 'hands' | 'hearts' | 'nature' | 'food' | 'things' | 'signs'

const TABLE: Readonly<Record<EmojiGroup, string>> = {
  faces: `😀 grinning happy|😃 smiley|😄 smile|😁 beaming grin|😆 laughing|😅 sweat_smile|🤣 rofl|😂 joy tears_of_joy|🙂 slight_smile|🙃 upside_down|😉 wink|😊 blush|😇 innocent angel|🥰 smiling_with_hearts|😍 heart_eyes|🤩 star_struck|😘 kissing_heart|😋 yum|😛 tongue|😜 winking_tongue|🤪 zany|🤗 hugging|🤭 oops|🤫 shushing quiet|🤔 thinking|🤐 zipper_mouth|🤨 raised_eyebrow|😐 neutral|😑 expressionless|😶 no_mouth|😏 smirk|😒 unamused|🙄 eye_roll|😬 grimacing|😌 relieved|😔 pensive|😪 sleepy|😴 sleeping|😷 mask ill|🤒 fever|🤕 hurt|🤢 nauseated|🤮 vomiting|🤧 sneezing|🥵 hot|🥶 cold|😵 dizzy|🤯 mind_blown exploding_head|🤠 cowboy|🥳 party partying|😎 cool sunglasses|🤓 nerd|🧐 monocle|😕 confused|😟 worried|🙁 frowning|😮 open_mouth wow|😲 astonished|😳 flushed|🥺 pleading|😦 frowning_open|😨 fearful|😰 anxious|😥 sad_relieved|😢 cry|😭 sob|😱 scream|😖 confounded|😞 disappointed|😓 sweat|😩 weary|😫 tired|🥱 yawning|😤 huffing|😡 rage|😠 angry|🤬 cursing|😈 devil|💀 skull|💩 poop|🤡 clown|👻 ghost|👽 alien|🤖 robot|🎃 pumpkin`,
  hands: `👍 thumbs_up yes like|👎 thumbs_down no dislike|👌 ok_hand|🤌 pinched_fingers|✌️ victory|🤞 fingers_crossed|🤟 love_you|🤘 rock_on|👈 point_left|👉 point_right|👆 point_up|👇 point_down|✋ raised_hand stop|👋 wave hello bye|🤙 call_me|💪 muscle strong|🙏 pray thanks please|👏 clap|🙌 raised_hands|🤝 handshake deal|✍️ writing|👀 eyes look|🧠 brain|🫡 salute|🤷 shrug|🤦 facepalm|🙋 hand_up|💃 dancing|🏃 running|👶 baby|👨‍👩‍👧 family`,
  hearts: `❤️ heart love|🧡 orange_heart|💛 yellow_heart|💚 green_heart|💙 blue_heart|💜 purple_heart|🖤 black_heart|🤍 white_heart|💔 broken_heart|💕 two_hearts|💖 sparkling_heart|💯 hundred|💥 boom|💫 dizzy_star|💦 splash|💤 zzz`,
  nature: `🐶 dog|🐱 cat|🐭 mouse|🐰 rabbit|🦊 fox|🐻 bear|🐼 panda|🐯 tiger|🦁 lion|🐮 cow|🐷 pig|🐸 frog|🐵 monkey|🐔 chicken|🐧 penguin|🦉 owl|🐝 bee|🦋 butterfly|🐢 turtle|🐟 fish|🐬 dolphin|🐳 whale|🌱 seedling|🌳 tree|🌵 cactus|🌹 rose|🌻 sunflower|🍀 clover luck|🍁 maple_leaf|🌍 earth|🌙 moon|⭐ star|🌟 glowing_star|☀️ sun|⛅ cloud_sun|🌧️ rain|❄️ snow|🔥 fire|🌈 rainbow|⚡ lightning`,
  food: `🍎 apple|🍌 banana|🍉 watermelon|🍓 strawberry|🍋 lemon|🥑 avocado|🌽 corn|🥕 carrot|🍞 bread|🧀 cheese|🥚 egg|🍔 burger|🍟 fries|🍕 pizza|🌮 taco|🍜 noodles|🍚 rice|🍣 sushi|🥟 dumpling|🍦 ice_cream|🍰 cake|🎂 birthday|🍫 chocolate|🍪 cookie|☕ coffee|🍵 tea|🍺 beer|🍷 wine|🥂 cheers|🧃 juice`,
  things: `🎉 tada party_popper|🎁 gift present|🎈 balloon|🏆 trophy|🥇 gold_medal|⚽ football|🏀 basketball|🎮 game|🎵 music|🎸 guitar|🎬 film|📷 camera|📱 phone|💻 laptop|🖨️ printer|💡 idea bulb|🔋 battery|🔌 plug|📚 books|📝 memo note|📎 paperclip|📌 pin|📅 calendar|⏰ alarm|⏳ hourglass|🔒 lock|🔑 key|🔨 hammer|🔧 wrench|⚙️ gear|🧪 test_tube|🚀 rocket ship_it|🚗 car|🚲 bicycle|🚆 train|✈️ plane|🏠 house|🏢 office|💰 money|💊 pill|🧹 broom clean|🗑️ wastebasket|📦 package|✉️ envelope mail|📣 megaphone|🔔 bell`,
  signs: `✅ check done|☑️ ballot_check|❌ cross|❗ exclamation|❓ question|⚠️ warning|🚫 forbidden|⛔ no_entry|♻️ recycle|➕ plus|➖ minus|➡️ right|⬅️ left|⬆️ up|⬇️ down|🔄 refresh|🔁 repeat|▶️ play|⏸️ pause|🆗 ok|🆕 new|🔴 red_circle|🟠 orange_circle|🟡 yellow_circle|🟢 green_circle|🔵 blue_circle|⚫ black_circle|⚪ white_circle|🏁 finish_flag|🏳️ white_flag`,
}

export const EMOJI_GROUPS: readonly (readonly [EmojiGroup, readonly Emoji[]])[] = Object.entries(TABLE).map(
  ([group, lines]) => [group as EmojiGroup, lines.split('|').map(emojiOf)],
)

function emojiOf(line: string): Emoji {
  const [emoji = '', ...names] = line.split(' ')
  return { emoji, names }
}

/** Those of which a name begins with the text, or has a word that does; those called by it first. @param most How many at most */
export function findEmoji(text: string, most: number): Emoji[] {
  const wanted = text.toLowerCase()
  const all = EMOJI_GROUPS.flatMap(([, group]) => group)
  const begins = all.filter(({ names }) => names.some((name) => name.startsWith(wanted)))
  const within = all.filter((one) => !begins.includes(one) && one.names.some((name) => name.includes(`_${wanted}`)))
  return [...begins, ...within].slice(0, most)
}
