import { plurals } from '../../text/plurals.js'

const count = plurals('en')

export const en = {
  pictureOf: (n: number, all: number) => (all > 1 ? `Picture ${n} of ${all}` : 'Picture'),
  place: (n: number, all: number) => `${n} / ${all}`,
  previous: 'Previous picture',
  next: 'Next picture',
  smaller: 'Smaller',
  larger: 'Larger',

  recording: 'Recording',
  asking: 'The browser asks whether it may use the microphone…',
  cancelRecording: 'Discard the recording',
  sendRecording: 'Send the recording',
  refused: 'The browser does not let this page use the microphone. You can allow it beside the address of the page.',
  noMicrophone: 'There is no microphone.',
  tooShort: 'Nothing was recorded.',
  voiceMessage: 'Voice message',
  play: 'Play',
  pause: 'Pause',
  position: 'Position',

  chosen: (n: number) => count(n, { one: '# file to send', other: '# files to send' }),
  remove: (name: string) => `Remove ${name}`,
  moveUp: (name: string) => `Move ${name} up`,
  alt: 'Alt text',
  altOf: (name: string) => `Alt text of ${name}`,
  altHint: 'What it shows, for those who do not see it',
  describe: (name: string) => `Describe ${name}`,
}
