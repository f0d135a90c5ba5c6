-- Logs: a list for each block of entries, so that the place of an entry follows from its number, and erasing one replaces it. Entries are
-- encoded by entry-codec.ts:
--   flags u8 | ts u48 | length of from u16 | length of origin u16 | from | origin | [extra] | payload
local EXTRA, GONE, CHANGE, NAMELESS = 8, 16, 32, 64
local LOGS, DUE, REMOVED, MARKS = PREFIX .. 'logs', PREFIX .. 'due', PREFIX .. 'removed', PREFIX .. 'marks'
-- Those of this request, by name, and in the order in which they were first named.
local logs, logs_in_order = {}, {}

local function log_of(name)
  local log = logs[name]
  if log then return log end
  local values = call('HMGET', PREFIX .. 'h:' .. name, 'head', 'tail', 'life', 'former')
  log = { name = name, head = tonumber(values[1] or 0), tail = tonumber(values[2] or 1), life = values[3] or '0', former = values[4] }
  log.base = log.head
  logs[name] = log
  logs_in_order[#logs_in_order + 1] = log
  return log
end

local function block_of(log, seq)
  local block = math.floor((seq - 1) / BLOCK)
  return PREFIX .. 'l:' .. log.life .. ':' .. text_of(block) .. ':' .. log.name, seq - 1 - block * BLOCK, block
end

local function append(log, entry, due)
  if log.head == 0 then
    log.life = COMMIT_TEXT
    write('SADD', LOGS, log.name)
  end
  local seq = log.head + 1
  log.head = seq
  local key, _, block = block_of(log, seq)
  write('RPUSH', key, entry)
  if due ~= '' then write('ZADD', DUE, due, due .. '\0' .. log.life .. '\0' .. text_of(block) .. '\0' .. log.name) end
  log.entries = log.entries or {}
  log.entries[#log.entries + 1] = entry
  if bit.band(byte(entry, 1), CHANGE) == 0 then log.speaks = true end
  return seq
end

local function u16(text, at)
  local high, low = byte(text, at, at + 1)
  return high * 256 + low
end

-- What is left of an entry: who and when, and why it is gone. Without its author if the account is gone.
local function remains(entry, why, nameless)
  local flags = bit.bor(bit.band(byte(entry, 1), 3 + CHANGE), GONE, nameless and NAMELESS or 0)
  local from = nameless and '' or sub(entry, 12, 11 + u16(entry, 8))
  return char(flags) .. sub(entry, 2, 7) .. struct.pack('>I2', #from) .. '\0\0' .. from .. why
end

-- The first erasure of an entry counts, unless a later one removes the author's name too. Returns whether it changed anything.
local function erase_entry(log, seq, why, nameless)
  if seq < log.tail or seq > log.head then return false end
  local key, index = block_of(log, seq)
  local entry = call('LINDEX', key, index)
  if not entry then return false end
  local flags = byte(entry, 1)
  if bit.band(flags, GONE) ~= 0 and (not nameless or bit.band(flags, NAMELESS) ~= 0) then return false end
  local left = remains(entry, why, nameless)
  write('LSET', key, index, left)
  if log.entries and seq > log.base then log.entries[seq - log.base] = left end
  has_wiped = true
  return true
end

-- Notes: a hash, and an index in the order of their fields.
local function notes_of(log)
  return PREFIX .. 'n:' .. log.life .. ':' .. log.name, PREFIX .. 'ni:' .. log.life .. ':' .. log.name
end

local DIGITS = '0123456789abcdefghijklmnopqrstuvwxyz'
-- As numberPart of tables.ts.
local function number_part(number)
  local text = ''
  while number > 0 do
    local digit = number % 36
    text = sub(DIGITS, digit + 1, digit + 1) .. text
    number = (number - digit) / 36
  end
  return string.rep('0', 11 - #text) .. text
end

local function key_part(text)
  if not find(text, '%z') and not find(text, '\1', 1, true) then return text end
  return (text:gsub('\1', '\1\2'):gsub('%z', '\1\1'))
end

local function touch_notes(log, target)
  touch('note\0' .. key_part(log.name) .. '\0' .. text_of(target))
end

-- Reads the words of an effect and applies it for entry `seq`; null: it only reads them.
local function effect(log, seq)
  for _ = 1, number() do
    local letter, is_guarded, target, has_name, name, kind, value, rest =
      word(), word(), word(), word(), word(), word(), word(), word()
    if log then
      local about = target == '' and seq or tonumber(target)
      local field = letter .. number_part(about) .. (has_name == '1' and name or number_part(seq))
      local notes, index = notes_of(log)
      if kind == 'x' then
        if write('HDEL', notes, field) == 1 then write('ZREM', index, field) end
      else
        if kind == 'n' then value = value .. text_of(seq) .. rest end
        if write('HSET', notes, field, value) == 1 then write('ZADD', index, 0, field) end
      end
      if is_guarded == '1' then
        touch_notes(log, about)
        touch('note\0' .. key_part(log.name))
      end
    end
  end
  local why, nameless = word(), word() == '1'
  local erased = {}
  for i = 1, number() do
    local target = number()
    if log then
      touch_notes(log, target)
      if erase_entry(log, target, why, nameless) then erased[#erased + 1] = text_of(target) end
    end
  end
  if #erased > 0 then tell('E', log.name, log.life, packed(erased)) end
end

local function clear_cursors(log)
  clear_records('readerCursor', key_part(log.name))
end

-- All readers have processed the log up to `seq`.
local function read_log(name, seq, life)
  local log = log_of(name)
  if life ~= '' and log.life ~= life then return end
  if log.head > seq then return end
  if write('HDEL', MARKS, name) == 1 then tell('m', name) end
  clear_cursors(log)
end

local function drop_log(name)
  local log = log_of(name)
  local notes, index = notes_of(log)
  if log.head > 0 then
    write('DEL', PREFIX .. 'h:' .. name)
    write('SREM', LOGS, name)
    write('SADD', REMOVED, log.life .. '\0' .. text_of(log.tail) .. '\0' .. text_of(log.head) .. '\0' .. name)
    write('UNLINK', notes, index)
    has_wiped = true
  end
  if write('HDEL', MARKS, name) == 1 then tell('m', name) end
  clear_cursors(log)
  local all_notes = 'note\0' .. key_part(name)
  touch(all_notes)
  touch(all_notes .. CLEARED)
  meta.dropped = COMMIT
  log.is_dropped = true
end

-- Removes the notes about entries from one up to another, which stays.
local function forget_notes(log, from, to)
  local notes, index = notes_of(log)
  for letter in NOTE_LETTERS:gmatch('.') do
    local range = { '[' .. letter .. number_part(from), '(' .. letter .. number_part(to) }
    for _, field in ipairs(call('ZRANGEBYLEX', index, range[1], range[2])) do
      write('HDEL', notes, field)
      write('ZREM', index, field)
    end
  end
end

-- Removes whole blocks below an entry, and notes about what is in them.
local function trim_log(name, up_to)
  local log = log_of(name)
  local tail = math.floor(math.min(up_to, log.base) / BLOCK) * BLOCK + 1
  if tail <= log.tail then return end
  for seq = log.tail, tail - 1, BLOCK do write('UNLINK', (block_of(log, seq))) end
  forget_notes(log, 0, tail)
  log.tail = tail
  log.is_trimmed = true
  tell('T', name, log.life, text_of(tail))
end

-- Removes the payloads of a block's entries whose time is over, and notes about them.
local function expire_block(member, name, life, block)
  write('ZREM', DUE, member)
  local log = log_of(name)
  if log.life ~= life then return end
  local key = PREFIX .. 'l:' .. life .. ':' .. block .. ':' .. name
  local erased = {}
  for i, entry in ipairs(call('LRANGE', key, 0, -1)) do
    local flags = byte(entry, 1)
    if bit.band(flags, EXTRA) ~= 0 and bit.band(flags, GONE) == 0 then
      local expires = struct.unpack('>I6', entry, 12 + u16(entry, 8) + u16(entry, 10))
      if expires > 0 and expires <= tonumber(NOW) then
        local seq = tonumber(block) * BLOCK + i
        write('LSET', key, i - 1, remains(entry, '{"why":"expired"}', false))
        has_wiped = true
        erased[#erased + 1] = text_of(seq)
        forget_notes(log, seq, seq + 1)
      end
    end
  end
  if #erased > 0 then tell('E', name, life, packed(erased)) end
end

-- Client-chosen ids, in hashes by generation and bucket. A record holds the life of the log, the number, and what the node put there.
local function dedupe_record(log, field, bucket, generation)
  for back = 0, 2 do
    local found = call('HGET', PREFIX .. 'd:' .. text_of(generation - back) .. ':' .. bucket, field)
    if found then
      local life, seq, rest = found:match('^(%d+) (%d+) (.*)$')
      -- One that is lost with its entry was lost with it here too.
      if (life == log.life or life == log.former) and tonumber(seq) <= log.head then return seq, rest end
    end
  end
end

local function remember(log, seq, field, bucket, generation, rest)
  write('HSET', PREFIX .. 'd:' .. text_of(generation) .. ':' .. bucket, field, log.life .. ' ' .. text_of(seq) .. ' ' .. rest)
end

-- Writes the heads, marks logs that a reader wants, and tells of the entries: the node itself has them.
local function end_logs()
  for _, log in ipairs(logs_in_order) do
    if log.entries then
      if log.wanted and not log.is_dropped and write('HSETNX', MARKS, log.name, text_of(log.base)) == 1 then
        tell('M', log.name, text_of(log.base))
      end
      if not log.is_dropped then
        local fields = { 'head', text_of(log.head), 'tail', text_of(log.tail), 'life', log.life,
          'grown', COMMIT_TEXT .. ':' .. text_of(log.head) }
        if log.speaks then fields[9], fields[10] = 'spoken', COMMIT_TEXT end
        write('HSET', PREFIX .. 'h:' .. log.name, unpack(fields))
      end
      local kind, tail, first = log.is_dropped and 'l' or 'L', text_of(log.tail), text_of(log.base + 1)
      tell_of_log(kind, log.name, log.life, tail, first, log.entries)
    elseif log.is_trimmed and not log.is_dropped then
      write('HSET', PREFIX .. 'h:' .. log.name, 'tail', text_of(log.tail))
    end
    if log.is_dropped then tell('G', log.name, log.life) end
  end
end
