/**
 * Name of a log: `m:{room}` messages, `e:{room}` room events, `u:{user}` user events, `n:{user}` notifications,
 * `b:{channel}` broadcast, `s:server` server events (accounts and rooms made or removed), `a:acts` audit, `a:server`
 * audit of acts beyond rooms.
 */
export type LogName = string
