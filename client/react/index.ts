'use client'
/** Hooks of React, 18 and later, for a client that the application makes, connects and closes. */

export { ChatProvider, type ChatProviderProps, useChat } from './provider.js'
export { useLive } from './use-live.js'
export { type RoomView, useRoom, useRooms, useStatus, useUnread } from './use-rooms.js'
export { type TimelineView, useTimeline } from './use-timeline.js'
