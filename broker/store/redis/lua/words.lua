-- Arguments are words read one after another; replies and pushes are words too, each with its length in front (words.ts).
local call = redis.call
local find, sub, byte, char = string.find, string.sub, string.byte, string.char

local PREFIX = ARGV[1]
-- Number of the node, and of this request of it.
local NODE, REQUEST = ARGV[2], ARGV[3]
-- The last commit that the node has in memory.
local SEEN = tonumber(ARGV[4])
-- Unix ms by the node's clock.
local NOW = ARGV[5]
-- 'ssubscribe' channels are published to otherwise.
local PUBLISH = ARGV[6]
-- Limits of a queue.
local MOST_QUEUED, MOST_QUEUED_BYTES = tonumber(ARGV[7]), tonumber(ARGV[8])
local position_of_word = 8

local function word()
  position_of_word = position_of_word + 1
  return ARGV[position_of_word]
end

local function number()
  return tonumber(word())
end

local function text_of(number)
  return string.format('%.0f', number)
end

local function packed(words)
  local parts = {}
  for i = 1, #words do
    local w = words[i]
    parts[2 * i - 1] = struct.pack('>I4', #w)
    parts[2 * i] = w
  end
  return table.concat(parts)
end

-- Commands that write, counted.
local writes = 0
local function write(...)
  writes = writes + 1
  return call(...)
end

-- Whom to tell.
local others = {}
for _, node in ipairs(call('HKEYS', PREFIX .. 'nodes')) do if node ~= NODE then others[#others + 1] = node end end

-- What all nodes are told, in order; what is told of logs comes behind what is told of tables, to the others with the entries.
local told, told_of_logs, told_of_own_logs = {}, {}, {}
local function tell(...)
  for i = 1, select('#', ...) do told[#told + 1] = (select(i, ...)) end
end

local function tell_of_log(kind, name, life, tail, first, entries)
  local own = told_of_own_logs
  local n = #own
  own[n + 1], own[n + 2], own[n + 3], own[n + 4], own[n + 5], own[n + 6] = kind, name, life, tail, first, ''
  if #others == 0 then return end
  local out = told_of_logs
  n = #out
  out[n + 1], out[n + 2], out[n + 3], out[n + 4], out[n + 5], out[n + 6] = kind, name, life, tail, first, packed(entries)
end

local META = PREFIX .. 'meta'
local meta = {}
do
  local fields = { 'commit', 'position', 'floor', 'younger', 'dropped', 'queue', 'webhooks' }
  local values = call('HMGET', META, unpack(fields))
  for i = 1, #fields do meta[fields[i]] = tonumber(values[i] or 0) end
end

-- The number of this commit, if it writes anything.
local COMMIT = meta.commit + 1
local COMMIT_TEXT = text_of(COMMIT)
