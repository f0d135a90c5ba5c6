/** Drawn with lines in the colour of the text, 24 by 24. */
const PATHS = {
  back: 'M15 5l-7 7 7 7',
  plus: 'M12 5v14M5 12h14',
  search: 'M11 4a7 7 0 1 0 0 14a7 7 0 0 0 0-14zM16 16l4.5 4.5',
  menu: 'M4 6.500h16M4 12h16M4 17.500h16',
  send: 'M4 12l16-8-6 16-3-6.5z',
  close: 'M6 6l12 12M18 6L6 18',
  person: 'M12 4a4 4 0 1 0 0 8a4 4 0 0 0 0-8zM4 20c1-4 4-5.5 8-5.5s7 1.500 8 5.500',
  sent: 'M5 12.500l4.500 4.500L19 7',
  delivered: 'M2 12.500l4.500 4.500L16 7M11.500 15l2 2L23 7',
  clock: 'M12 4a8 8 0 1 0 0 16a8 8 0 0 0 0-16zM12 8v4.500l3 1.500',
  failed: 'M12 4a8 8 0 1 0 0 16a8 8 0 0 0 0-16zM12 8v5M12 16v.2',
  more: 'M12 5.200v.1M12 12v.1M12 18.700v.1',
  pin: 'M9 4h6l-1 6 3 3H7l3-3zM12 13v7',
  muted: 'M4 4l16 16M18 16H6c1-1.500 1.500-3 1.500-6M10 6.500c4-2.500 7 1 6.500 4M10.500 19h3',
  forward: 'M9 5l7 7-7 7',
  down: 'M12 5v14M6 13l6 6 6-6',
  place: 'M12 21c-4-4.500-6-8-6-11a6 6 0 0 1 12 0c0 3-2 6.500-6 11zM12 8a2 2 0 1 0 0 4a2 2 0 0 0 0-4',
  onward: 'M14 6l6 6-6 6M20 12H9a5 5 0 0 0-5 5v1',
  bookmark: 'M7 4h10v16l-5-4-5 4z',
  flag: 'M6 21V4h11l-2 4 2 4H6',
  copy: 'M9 9h11v11H9zM5 15H4V4h11v1',
  file: 'M7 3h7l4 4v14H7zM14 3v4h4',
  attach:
    'M19 11.500l-7.500 7.500a4.600 4.600 0 0 1-6.500-6.500L13 4.500a3.100 3.100 0 0 1 4.400 4.400l-7.900 7.900a1.500 1.500 0 0 1-2.200-2.200L14 8',
  minus: 'M5 12h14',
  microphone:
    'M12 3.500a2.500 2.500 0 0 0-2.500 2.500v5a2.500 2.500 0 0 0 5 0V6A2.500 2.500 0 0 0 12 3.500zM6 11a6 6 0 0 0 12 0M12 17v3.500',
  play: 'M8 5l11 7-11 7z',
  pause: 'M8 5v14M16 5v14',
  save: 'M12 4v11M7 10.500l5 5 5-5M5 20h14',
  up: 'M12 19V5M6 11l6-6 6 6',
  offline: 'M4 4l16 16M5 10a10 10 0 0 1 4-2.300M19 10a10 10 0 0 0-6-2.900M8.500 14a5 5 0 0 1 3-1.300M12 18v.2',
  react:
    'M12 3.500a8.500 8.500 0 1 0 0 17a8.500 8.500 0 0 0 0-17zM8.500 14c1 1.500 2.200 2.200 3.500 2.200s2.500-.7 3.500-2.200M9 9.500v.2M15 9.500v.2',
  reply: 'M10 6l-6 6 6 6M4.500 12H14a6 6 0 0 1 6 6v1',
  thread: 'M4 5h16v11h-9l-4 4v-4H4zM8 9h8M8 12.500h5',
  edit: 'M5 19l1-4L16 5l3 3L9 18zM14 7l3 3',
  link: 'M10 14a4 4 0 0 0 6 .5l3-3a4 4 0 0 0-5.500-5.500l-1 1M14 10a4 4 0 0 0-6-.5l-3 3a4 4 0 0 0 5.500 5.500l1-1',
  unread: 'M4 6h11M4 6v12h16v-7M4 7l8 6 3-2M19 4a2.500 2.500 0 1 0 0 5a2.500 2.500 0 0 0 0-5z',
  delete: 'M5 7h14M9 7V4h6v3M7 7l1 13h8l1-13M10.500 11v5M13.500 11v5',
  about: 'M12 4a8 8 0 1 0 0 16a8 8 0 0 0 0-16zM12 11v5M12 8v.2',
  hide: 'M4 12c4-7 12-7 16 0c-4 7-12 7-16 0zM4 4l16 16',
  leave: 'M13 5h6v14h-6M3 12h11M10 8l4 4-4 4',
} as const

export type IconName = keyof typeof PATHS

/** Decoration: what it means is said by text, also for those who do not see it. */
export function Icon({ name, mirrored = false }: { name: IconName; mirrored?: boolean }) {
  return (
    <svg class={mirrored ? 'icon mirrored' : 'icon'} viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  )
}
