/**
 * Names a log: `m:{room}` messages, `e:{room}` room events, `u:{user}` user events, `n:{user}` notifications, `b:{channel}` broadcast,
 * `s:server` what becomes of accounts and rooms, `a:acts` audit, `a:server` of acts beyond rooms.
 */
export type LogName = string
