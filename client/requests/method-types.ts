/** What a client can ask for: one method for each command. Made by `npm run schemas` from the table of commands. */
import type { CommandParams as Params, CommandResult as Result } from '../../schemas/commands.js'
import type { CallOptions } from './calls.js'

/** Every method rejects with a `ChatError`. */
export interface Methods {
  /** Sends a message to a room, or to a user (@user). For members who may write; sending to a public room joins it. */
  send(params: Params<'send'>, options?: CallOptions): Promise<Result<'send'>>
  /** A page of a room’s messages, ascending: the newest ones, those before a seq, after one, or around a message or a time; or those with given seqs. For members. */
  history(params: Params<'history'>, options?: CallOptions): Promise<Result<'history'>>
  /** The versions of a message, ascending: the message as it was sent, then its edits as they were sent. For members. */
  edits(params: Params<'edits'>, options?: CallOptions): Promise<Result<'edits'>>
  /** Who reacted to a message and with what, in a stable order of users. For members. */
  reactions(params: Params<'reactions'>, options?: CallOptions): Promise<Result<'reactions'>>
  readonly rooms: {
    /** Creates a room, with the caller as its owner. */
    create(params: Params<'rooms.create'>, options?: CallOptions): Promise<Result<'rooms.create'>>
    /** Changes a room, or with user and role the role of a member. For owners and admins of the room. */
    update(params: Params<'rooms.update'>, options?: CallOptions): Promise<Result<'rooms.update'>>
    /** Removes a room and its messages for good. For owners of the room. */
    delete(params: Params<'rooms.delete'>, options?: CallOptions): Promise<Result<'rooms.delete'>>
    /** Joins a public room, or another one by an invitation or a link. */
    join(params: Params<'rooms.join'>, options?: CallOptions): Promise<Result<'rooms.join'>>
    /** Leaves a room. */
    leave(params: Params<'rooms.leave'>, options?: CallOptions): Promise<Result<'rooms.leave'>>
    /** Invites a user to a room. For owners and admins of the room. */
    invite(params: Params<'rooms.invite'>, options?: CallOptions): Promise<Result<'rooms.invite'>>
    /** Removes a member, for moderators and above; or an invitation, for owners and admins of the room. */
    remove(params: Params<'rooms.remove'>, options?: CallOptions): Promise<Result<'rooms.remove'>>
    /** The members of a room, by user id, and how many there are. For members. */
    members(params: Params<'rooms.members'>, options?: CallOptions): Promise<Result<'rooms.members'>>
    /** A page of what happened in a room (rooms/{room}/events), ascending: the newest, those before a seq, or those after one. For members. */
    events(params: Params<'rooms.events'>, options?: CallOptions): Promise<Result<'rooms.events'>>
    /** A room as the caller sees it. For everyone who is logged in; a private room for members and invited users. */
    get(params: Params<'rooms.get'>, options?: CallOptions): Promise<Result<'rooms.get'>>
    /** Changes the caller’s settings for a room; answers with all of them. For members, direct conversations included. */
    settings(params: Params<'rooms.settings'>, options?: CallOptions): Promise<Result<'rooms.settings'>>
    /** The rooms of the caller, or the rooms that anyone may join or ask to join: by id, or the one with the newest message first. */
    list(params?: Params<'rooms.list'>, options?: CallOptions): Promise<Result<'rooms.list'>>
    /** Sets the role of a member, up to the caller’s own. For owners and admins of the room. */
    setRole(params: Params<'rooms.setRole'>, options?: CallOptions): Promise<Result<'rooms.setRole'>>
    /** Makes a member the owner in place of the caller, who becomes an admin. For owners of the room. */
    transfer(params: Params<'rooms.transfer'>, options?: CallOptions): Promise<Result<'rooms.transfer'>>
    /** Removes a user from a room and keeps them out, links and invitations included. For moderators and above. */
    ban(params: Params<'rooms.ban'>, options?: CallOptions): Promise<Result<'rooms.ban'>>
    /** Ends a ban; the user may join or be invited again. For moderators of the room and above. */
    unban(params: Params<'rooms.unban'>, options?: CallOptions): Promise<Result<'rooms.unban'>>
    /** The bans of a room, by user id. For moderators of the room and above. */
    bans(params: Params<'rooms.bans'>, options?: CallOptions): Promise<Result<'rooms.bans'>>
    /** Mutes a member, who may read but not write: messages, changes, reactions, typing. For moderators and above. */
    mute(params: Params<'rooms.mute'>, options?: CallOptions): Promise<Result<'rooms.mute'>>
    /** Ends a mute. For moderators of the room and above. */
    unmute(params: Params<'rooms.unmute'>, options?: CallOptions): Promise<Result<'rooms.unmute'>>
    /** The mutes of a room, by user id. For moderators of the room and above. */
    mutes(params: Params<'rooms.mutes'>, options?: CallOptions): Promise<Result<'rooms.mutes'>>
    readonly links: {
      /** Creates a link with which anyone may join the room. For owners and admins of the room. */
      create(params: Params<'rooms.links.create'>, options?: CallOptions): Promise<Result<'rooms.links.create'>>
      /** The valid links of a room. For owners and admins of the room. */
      list(params: Params<'rooms.links.list'>, options?: CallOptions): Promise<Result<'rooms.links.list'>>
      /** Revokes a link; users who joined with it stay. For owners and admins of the room. */
      revoke(params: Params<'rooms.links.revoke'>, options?: CallOptions): Promise<Result<'rooms.links.revoke'>>
    }
    /** Asks to join a room whose access is request. For everyone who is not banned from it. */
    request(params: Params<'rooms.request'>, options?: CallOptions): Promise<Result<'rooms.request'>>
    /** The pending requests to join, by user id. For moderators of the room and above. */
    requests(params: Params<'rooms.requests'>, options?: CallOptions): Promise<Result<'rooms.requests'>>
    /** The caller’s pending invitations, by room id. rooms.join accepts one, rooms.decline declines it. */
    invited(params?: Params<'rooms.invited'>, options?: CallOptions): Promise<Result<'rooms.invited'>>
    /** Declines an invitation; the caller may be invited again. For invited users. */
    decline(params: Params<'rooms.decline'>, options?: CallOptions): Promise<Result<'rooms.decline'>>
    /** The caller’s pending requests to join, by room id. */
    requested(params?: Params<'rooms.requested'>, options?: CallOptions): Promise<Result<'rooms.requested'>>
    /** Takes back the caller’s request to join a room. */
    withdraw(params: Params<'rooms.withdraw'>, options?: CallOptions): Promise<Result<'rooms.withdraw'>>
    /** Accepts a request to join. For moderators of the room and above. */
    approve(params: Params<'rooms.approve'>, options?: CallOptions): Promise<Result<'rooms.approve'>>
    /** Denies a request to join; the user may ask again. For moderators of the room and above. */
    deny(params: Params<'rooms.deny'>, options?: CallOptions): Promise<Result<'rooms.deny'>>
  }
  readonly auth: {
    /** Creates an account and logs it in, as far as auth.registration allows. */
    register(params: Params<'auth.register'>, options?: CallOptions): Promise<Result<'auth.register'>>
    /** Creates an invitation to register. For admins. */
    invite(params?: Params<'auth.invite'>, options?: CallOptions): Promise<Result<'auth.invite'>>
    /** Logs in with user name and password. Who has a second factor is asked for `code` once the password was right. */
    login(params: Params<'auth.login'>, options?: CallOptions): Promise<Result<'auth.login'>>
    /** Exchanges a refresh token for a new access token and a new refresh token. A used refresh token is accepted again within auth.refreshGrace, as by windows that refresh at once; an older one ends the login. */
    token(params?: Params<'auth.token'>, options?: CallOptions): Promise<Result<'auth.token'>>
    /** Renews the login of the calling connection, with another token of the same user. */
    refresh(params: Params<'auth.refresh'>, options?: CallOptions): Promise<Result<'auth.refresh'>>
    /** Ends the login of the caller: its tokens, the sessions that used them, and their queues. A login by password is its one session. */
    logout(params?: Params<'auth.logout'>, options?: CallOptions): Promise<Result<'auth.logout'>>
    /** Voids all tokens of the caller issued so far, and ends all sessions with their queues. API keys stay. */
    logoutEverywhere(params?: Params<'auth.logoutEverywhere'>, options?: CallOptions): Promise<Result<'auth.logoutEverywhere'>>
    /** Changes the caller’s password. All other sessions and all tokens issued so far end; the result is a new login. */
    password(params: Params<'auth.password'>, options?: CallOptions): Promise<Result<'auth.password'>>
    readonly totp: {
      /** Creates a secret for an authenticator app. It takes effect when auth.totp.confirm is called with a code of it. */
      begin(params: Params<'auth.totp.begin'>, options?: CallOptions): Promise<Result<'auth.totp.begin'>>
      /** Turns the second factor on: a password needs a code too from now on. */
      confirm(params: Params<'auth.totp.confirm'>, options?: CallOptions): Promise<Result<'auth.totp.confirm'>>
      /** Turns the second factor off. */
      remove(params: Params<'auth.totp.remove'>, options?: CallOptions): Promise<Result<'auth.totp.remove'>>
      /** Whether the caller has a second factor. */
      status(params?: Params<'auth.totp.status'>, options?: CallOptions): Promise<Result<'auth.totp.status'>>
    }
    /** Creates a token with which a user can set a new password once. For admins, who deliver it to the user. */
    reset(params: Params<'auth.reset'>, options?: CallOptions): Promise<Result<'auth.reset'>>
    /** Sets a new password with a token of auth.reset. All earlier tokens and sessions end; a second factor stays. */
    resetPassword(params: Params<'auth.resetPassword'>, options?: CallOptions): Promise<Result<'auth.resetPassword'>>
    /** Exchanges the code of a login confirmed by an identity provider for a login here; once, within a minute. */
    oidc(params: Params<'auth.oidc'>, options?: CallOptions): Promise<Result<'auth.oidc'>>
  }
  readonly account: {
    /** Creates a link to a zip file of everything the broker has about the caller. The link is valid for one download. */
    export(params?: Params<'account.export'>, options?: CallOptions): Promise<Result<'account.export'>>
    /** Removes the caller’s account for good: logins, profile, contacts and devices at once, and everything they wrote in the background. */
    delete(params: Params<'account.delete'>, options?: CallOptions): Promise<Result<'account.delete'>>
    readonly data: {
      /** A private value of the caller. */
      get(params: Params<'account.data.get'>, options?: CallOptions): Promise<Result<'account.data.get'>>
      /** Sets a private value of the caller, and tells the caller’s devices. Only the caller can read it. */
      set(params: Params<'account.data.set'>, options?: CallOptions): Promise<Result<'account.data.set'>>
      /** Removes a private value of the caller. If there is none, nothing happens. */
      delete(params: Params<'account.data.delete'>, options?: CallOptions): Promise<Result<'account.data.delete'>>
      /** The private values of the caller, by name. */
      list(params?: Params<'account.data.list'>, options?: CallOptions): Promise<Result<'account.data.list'>>
    }
  }
  readonly accounts: {
    /** Creates an account, whatever auth.registration is. For admins. */
    create(params: Params<'accounts.create'>, options?: CallOptions): Promise<Result<'accounts.create'>>
    /** One account. For admins. */
    get(params: Params<'accounts.get'>, options?: CallOptions): Promise<Result<'accounts.get'>>
    /** Accounts ordered by user id, case-insensitive. For admins. */
    list(params?: Params<'accounts.list'>, options?: CallOptions): Promise<Result<'accounts.list'>>
    /** Replaces the roles of an account; live sessions and streams have the new ones at once, unless their token names roles. For admins. */
    setRoles(params: Params<'accounts.setRoles'>, options?: CallOptions): Promise<Result<'accounts.setRoles'>>
    /** Prevents logins of the user and of their bots and devices until accounts.resume, and closes their connections. All data stays. For admins. */
    suspend(params: Params<'accounts.suspend'>, options?: CallOptions): Promise<Result<'accounts.suspend'>>
    /** Ends a suspension. For admins. */
    resume(params: Params<'accounts.resume'>, options?: CallOptions): Promise<Result<'accounts.resume'>>
    /** Removes an account with everything its user wrote, as topictalk user remove does. For admins. */
    delete(params: Params<'accounts.delete'>, options?: CallOptions): Promise<Result<'accounts.delete'>>
  }
  readonly sessions: {
    /** The sessions of the caller by client id; for admins those of anyone. */
    list(params?: Params<'sessions.list'>, options?: CallOptions): Promise<Result<'sessions.list'>>
    /** Ends a session with its queue, and the login behind it: the device must log in again. */
    end(params: Params<'sessions.end'>, options?: CallOptions): Promise<Result<'sessions.end'>>
    /** Ends all other logins of the caller with their tokens, and all sessions with their queues but that of the caller and those of the same login. API keys stay, and so do tokens that others have signed. */
    endOthers(params?: Params<'sessions.endOthers'>, options?: CallOptions): Promise<Result<'sessions.endOthers'>>
  }
  readonly users: {
    /** The profile of a user. For everyone who is logged in. */
    get(params: Params<'users.get'>, options?: CallOptions): Promise<Result<'users.get'>>
    /** The profiles of several users, by user id; users who do not exist are left out. For everyone who is logged in. */
    profiles(params: Params<'users.profiles'>, options?: CallOptions): Promise<Result<'users.profiles'>>
    /** The presence of several users, by user id. Of those whose presence the caller may not see, and of users who do not exist, it is that of a user who was never online. */
    presence(params: Params<'users.presence'>, options?: CallOptions): Promise<Result<'users.presence'>>
    /** Changes the caller’s profile. What is left out stays; a field that is null is removed. */
    update(params?: Params<'users.update'>, options?: CallOptions): Promise<Result<'users.update'>>
    /** Users whose id begins with a text, or in whose name each word of it begins a word, by user id. Case and accents do not matter in names. For everyone who is logged in. */
    search(params: Params<'users.search'>, options?: CallOptions): Promise<Result<'users.search'>>
    /** Sets the caller’s status, and whether the session that asks is away, over HTTP the caller’s event streams; answers with the presence as it is shown then. */
    setPresence(params?: Params<'users.setPresence'>, options?: CallOptions): Promise<Result<'users.setPresence'>>
  }
  readonly blocks: {
    /** Blocks a user, who can send the caller no direct messages, signals or invitations, and does not see the caller’s presence. A repeated block changes nothing. */
    add(params: Params<'blocks.add'>, options?: CallOptions): Promise<Result<'blocks.add'>>
    /** Ends a block. */
    remove(params: Params<'blocks.remove'>, options?: CallOptions): Promise<Result<'blocks.remove'>>
    /** The users the caller blocks, by user id. */
    list(params?: Params<'blocks.list'>, options?: CallOptions): Promise<Result<'blocks.list'>>
  }
  /** Marks the messages of a room as read by the caller up to one; the position never decreases. For members. */
  read(params: Params<'read'>, options?: CallOptions): Promise<Result<'read'>>
  /** The receipts of the members of a room; or who has received and read one message. For members. */
  receipts(params: Params<'receipts'>, options?: CallOptions): Promise<Result<'receipts'>>
  /** Tells a room, or the other user of a direct conversation, that the caller is typing, for 10 seconds, or no more. For members who may write. */
  typing(params: Params<'typing'>, options?: CallOptions): Promise<Result<'typing'>>
  /** Publishes on a plain topic or one of a device, as an MQTT client does. For whom acl.rules allow, and devices on their own topics. */
  publish(params: Params<'publish'>, options?: CallOptions): Promise<Result<'publish'>>
  /** Brings a client up to date: what is new about the caller, and in each of their rooms. The first call has no parameters, later ones have since: then only rooms with news are listed. */
  sync(params?: Params<'sync'>, options?: CallOptions): Promise<Result<'sync'>>
  /** Makes messages from one on count as unread for the caller, until they are read again. Receipts do not go back. For members. */
  markUnread(params: Params<'markUnread'>, options?: CallOptions): Promise<Result<'markUnread'>>
  /** Counts of what the caller has not read, in one room or in all of them, by room id. */
  unread(params?: Params<'unread'>, options?: CallOptions): Promise<Result<'unread'>>
  readonly threads: {
    /** The threads of a room that have replies, the one with the latest reply first: the messages that began them, folded. For members. */
    list(params: Params<'threads.list'>, options?: CallOptions): Promise<Result<'threads.list'>>
    /** The threads the caller follows, by room and then by thread, with what the caller has not read of each. Those whose first message is not kept any more are left out. */
    followed(params?: Params<'threads.followed'>, options?: CallOptions): Promise<Result<'threads.followed'>>
    /** Follows a thread; at most 200 in a room. Repeating it changes nothing. For members. */
    follow(params: Params<'threads.follow'>, options?: CallOptions): Promise<Result<'threads.follow'>>
    /** Follows a thread no more. For members. */
    unfollow(params: Params<'threads.unfollow'>, options?: CallOptions): Promise<Result<'threads.unfollow'>>
  }
  readonly mentions: {
    /** The messages of others that mention the caller or @room, in all rooms and conversations of the caller, newest first; in threads too. */
    list(params?: Params<'mentions.list'>, options?: CallOptions): Promise<Result<'mentions.list'>>
  }
  readonly saved: {
    /** Saves a message for the caller, who is told of it on all devices; nobody else is. Repeating it changes the note alone. For members of the room. */
    add(params: Params<'saved.add'>, options?: CallOptions): Promise<Result<'saved.add'>>
    /** Saves a message no more. If it is not saved, nothing happens. */
    remove(params: Params<'saved.remove'>, options?: CallOptions): Promise<Result<'saved.remove'>>
    /** The messages the caller has saved, the one saved last first, each as it is now, folded. While the caller is not in its room nothing of the message is shown. */
    list(params?: Params<'saved.list'>, options?: CallOptions): Promise<Result<'saved.list'>>
  }
  /** Messages with certain words, in one room of the caller or in all of them, newest first. */
  search(params: Params<'search'>, options?: CallOptions): Promise<Result<'search'>>
  readonly contacts: {
    /** Asks a user to be a contact; a user who asked the caller before becomes one at once. Contacts see each other’s presence. */
    request(params: Params<'contacts.request'>, options?: CallOptions): Promise<Result<'contacts.request'>>
    /** Accepts the request of a user to be a contact. */
    accept(params: Params<'contacts.accept'>, options?: CallOptions): Promise<Result<'contacts.accept'>>
    /** Ends a contact, withdraws a request, or declines one. */
    remove(params: Params<'contacts.remove'>, options?: CallOptions): Promise<Result<'contacts.remove'>>
    /** The caller’s contacts, and requests in both directions, by user id. */
    list(params?: Params<'contacts.list'>, options?: CallOptions): Promise<Result<'contacts.list'>>
  }
  readonly webhooks: {
    /** Creates a webhook for events from now on. For admins. */
    create(params: Params<'webhooks.create'>, options?: CallOptions): Promise<Result<'webhooks.create'>>
    /** All webhooks and their state, by id. For admins. */
    list(params?: Params<'webhooks.list'>, options?: CallOptions): Promise<Result<'webhooks.list'>>
    /** Changes a webhook; what is left out stays. For a day events are signed with the previous secret, too. A webhook of the configuration can only be enabled and disabled. For admins. */
    update(params: Params<'webhooks.update'>, options?: CallOptions): Promise<Result<'webhooks.update'>>
    /** Removes a webhook and its undelivered events. For admins. */
    delete(params: Params<'webhooks.delete'>, options?: CallOptions): Promise<Result<'webhooks.delete'>>
    /** Events that were given up, ordered by id, and so by time. For admins. */
    deliveries(params: Params<'webhooks.deliveries'>, options?: CallOptions): Promise<Result<'webhooks.deliveries'>>
    /** Repeats events that were given up, once each: one of them, or all. For admins. */
    retry(params: Params<'webhooks.retry'>, options?: CallOptions): Promise<Result<'webhooks.retry'>>
    /** Posts an event webhook.test, once, and answers with the outcome. For admins. */
    test(params: Params<'webhooks.test'>, options?: CallOptions): Promise<Result<'webhooks.test'>>
  }
  readonly devices: {
    /** Creates a device of the caller: a user with the role device, and its API key. */
    register(params: Params<'devices.register'>, options?: CallOptions): Promise<Result<'devices.register'>>
    /** The devices the caller owns, or that are shared with the caller, by user id. */
    list(params?: Params<'devices.list'>, options?: CallOptions): Promise<Result<'devices.list'>>
    /** A device and its owner; for the owner also its shares and bridges. For those who may read it. */
    get(params: Params<'devices.get'>, options?: CallOptions): Promise<Result<'devices.get'>>
    /** Creates a new API key for a device; its previous keys are revoked and its connections closed. For its owner. */
    key(params: Params<'devices.key'>, options?: CallOptions): Promise<Result<'devices.key'>>
    /** Removes a device with its keys, memberships, commands and retained state. For its owner. */
    remove(params: Params<'devices.remove'>, options?: CallOptions): Promise<Result<'devices.remove'>>
    /** Offers a device to a user, who becomes its owner with devices.accept; naming oneself withdraws the offer. For its owner. A transfer by an admin needs no acceptance. */
    transfer(params: Params<'devices.transfer'>, options?: CallOptions): Promise<Result<'devices.transfer'>>
    /** The devices that others offer to the caller, by user id. */
    offers(params?: Params<'devices.offers'>, options?: CallOptions): Promise<Result<'devices.offers'>>
    /** Accepts an offered device: the caller becomes its owner, its shares end, its previous keys are void, and the result is a new key. */
    accept(params: Params<'devices.accept'>, options?: CallOptions): Promise<Result<'devices.accept'>>
    /** Declines an offered device. */
    decline(params: Params<'devices.decline'>, options?: CallOptions): Promise<Result<'devices.decline'>>
    /** Sets whether another user may read or control a device. For its owner. */
    share(params: Params<'devices.share'>, options?: CallOptions): Promise<Result<'devices.share'>>
    /** Ends a user’s access to a device, at once. For its owner, and for that user. */
    unshare(params: Params<'devices.unshare'>, options?: CallOptions): Promise<Result<'devices.unshare'>>
    /** Sends a command to a device; its outcome is an event of the caller. For those who may control the device. */
    command(params: Params<'devices.command'>, options?: CallOptions): Promise<Result<'devices.command'>>
    /** A page of the commands of a device, ascending: the newest, or those before one. For those who may read it. */
    commands(params: Params<'devices.commands'>, options?: CallOptions): Promise<Result<'devices.commands'>>
    /** Posts what a device publishes on some topics into a room, with the device as author. For its owner, who must be allowed to invite into the room. */
    bridge(params: Params<'devices.bridge'>, options?: CallOptions): Promise<Result<'devices.bridge'>>
    /** Ends a bridge; the device stays a member of the room. For its owner. */
    unbridge(params: Params<'devices.unbridge'>, options?: CallOptions): Promise<Result<'devices.unbridge'>>
  }
  /** Sends a notification to a user, or to several. For the role notifier and admins. */
  notify(params: Params<'notify'>, options?: CallOptions): Promise<Result<'notify'>>
  readonly notifications: {
    /** A page of the caller’s notifications, ascending: the newest ones, or those before a seq. */
    list(params?: Params<'notifications.list'>, options?: CallOptions): Promise<Result<'notifications.list'>>
    /** Acknowledges notifications, for all devices of the caller: some by id, or all up to a seq. */
    ack(params?: Params<'notifications.ack'>, options?: CallOptions): Promise<Result<'notifications.ack'>>
    /** The state of a notification. For its sender, and admins. */
    status(params: Params<'notifications.status'>, options?: CallOptions): Promise<Result<'notifications.status'>>
    readonly settings: {
      /** What the caller is notified of, in all rooms. */
      get(params?: Params<'notifications.settings.get'>, options?: CallOptions): Promise<Result<'notifications.settings.get'>>
      /** Changes what the caller is notified of; answers with all of it. It holds at once, also for messages of before that are not read. */
      update(params?: Params<'notifications.settings.update'>, options?: CallOptions): Promise<Result<'notifications.settings.update'>>
    }
  }
  /** Sends an announcement to all users, or to those with one of some roles. For the role publisher and admins. */
  readonly broadcast: {
    (params: Params<'broadcast'>, options?: CallOptions): Promise<Result<'broadcast'>>
    /** Removes the retained announcement of a channel. For the role publisher and admins. */
    clear(params: Params<'broadcast.clear'>, options?: CallOptions): Promise<Result<'broadcast.clear'>>
    /** A page of a channel’s announcements, ascending: the newest ones, those before a seq, or those after one. */
    history(params: Params<'broadcast.history'>, options?: CallOptions): Promise<Result<'broadcast.history'>>
    /** The channels with an announcement for the caller, by name. */
    channels(params?: Params<'broadcast.channels'>, options?: CallOptions): Promise<Result<'broadcast.channels'>>
  }
  readonly privacy: {
    /** The caller’s privacy settings. */
    get(params?: Params<'privacy.get'>, options?: CallOptions): Promise<Result<'privacy.get'>>
    /** Changes the caller’s privacy settings, with immediate effect; answers with all of them. */
    update(params?: Params<'privacy.update'>, options?: CallOptions): Promise<Result<'privacy.update'>>
  }
  readonly keys: {
    /** Creates an API key for the caller or a bot of the caller; admins for anyone. It has the roles the caller has now, and outlives changes of the password. */
    create(params: Params<'keys.create'>, options?: CallOptions): Promise<Result<'keys.create'>>
    /** The API keys of the caller or of a bot of the caller, without their secrets; for admins those of anyone. */
    list(params?: Params<'keys.list'>, options?: CallOptions): Promise<Result<'keys.list'>>
    /** Revokes an API key: connections that logged in with it are closed, their sessions and queues stay. */
    revoke(params: Params<'keys.revoke'>, options?: CallOptions): Promise<Result<'keys.revoke'>>
  }
  readonly bots: {
    /** Creates a bot: a user with the role bot and no password, and its first API key. */
    create(params: Params<'bots.create'>, options?: CallOptions): Promise<Result<'bots.create'>>
    /** The bots of the caller, by user id. */
    list(params?: Params<'bots.list'>, options?: CallOptions): Promise<Result<'bots.list'>>
    /** Removes a bot of the caller, with its keys, sessions and memberships; admins remove anyone’s. */
    delete(params: Params<'bots.delete'>, options?: CallOptions): Promise<Result<'bots.delete'>>
  }
  readonly slash: {
    /** Replaces the slash commands that a bot takes in rooms where they are active. For the bot and its owner. */
    set(params: Params<'slash.set'>, options?: CallOptions): Promise<Result<'slash.set'>>
    /** The slash commands that are active in a room for the caller, by name; of several bots with one name, the one that gets it. For members. */
    list(params: Params<'slash.list'>, options?: CallOptions): Promise<Result<'slash.list'>>
    /** Activates the slash commands of a bot that is a member of the room, or deactivates them. For owners and admins of the room. */
    allow(params: Params<'slash.allow'>, options?: CallOptions): Promise<Result<'slash.allow'>>
  }
  readonly files: {
    /** What is known of a file. For who uploaded it, who may read a message that refers to it, and admins. */
    get(params: Params<'files.get'>, options?: CallOptions): Promise<Result<'files.get'>>
    /** The caller’s files, in the order of their ids, unfinished uploads included; for admins those of any user. */
    list(params?: Params<'files.list'>, options?: CallOptions): Promise<Result<'files.list'>>
    /** Links to files that need no login, as for the images of a page; files that the caller may not read now are left out. A link ends with the right to read the file, and with the login. */
    links(params: Params<'files.links'>, options?: CallOptions): Promise<Result<'files.links'>>
    /** Deletes a file of the caller, whatever messages refer to it; also an unfinished upload. */
    delete(params: Params<'files.delete'>, options?: CallOptions): Promise<Result<'files.delete'>>
    /** Blocks a file: nobody is served it, or can send it, any more, its bytes are removed, and who uploads them again is refused. For admins. */
    block(params: Params<'files.block'>, options?: CallOptions): Promise<Result<'files.block'>>
    /** The contents of files that were blocked, by a scanner or an admin, the one blocked last first: who uploads one again is refused. For admins. */
    blocked(params?: Params<'files.blocked'>, options?: CallOptions): Promise<Result<'files.blocked'>>
    /** Allows a content that was blocked to be uploaded again, to be scanned like any other. Files of it that were blocked stay so. For admins. */
    unblock(params: Params<'files.unblock'>, options?: CallOptions): Promise<Result<'files.unblock'>>
  }
  readonly filters: {
    /** The filters for messages. For admins. */
    list(params?: Params<'filters.list'>, options?: CallOptions): Promise<Result<'filters.list'>>
    /** Replaces the filters that are not in the configuration, for all messages from now on. For admins. */
    set(params: Params<'filters.set'>, options?: CallOptions): Promise<Result<'filters.set'>>
  }
  readonly audit: {
    /** Administrative acts, ascending: the newest ones, or those before a seq. For admins. */
    list(params?: Params<'audit.list'>, options?: CallOptions): Promise<Result<'audit.list'>>
  }
  readonly reports: {
    /** Reports a message (room and seq) or a user, in a room or in general, to the moderators. A repeated report changes nothing. For members of the room. */
    create(params: Params<'reports.create'>, options?: CallOptions): Promise<Result<'reports.create'>>
    /** Reports, the oldest first: of a room, for its moderators and above; of all rooms, conversations and users, for admins. */
    list(params?: Params<'reports.list'>, options?: CallOptions): Promise<Result<'reports.list'>>
    /** Resolves a report by an action, and closes all open reports of the same message or user. For those who may see it and may do the action. */
    resolve(params: Params<'reports.resolve'>, options?: CallOptions): Promise<Result<'reports.resolve'>>
  }
  readonly server: {
    /** What a client has to know of the broker, such as for a log-in page. For everyone. */
    info(params?: Params<'server.info'>, options?: CallOptions): Promise<Result<'server.info'>>
  }
}
