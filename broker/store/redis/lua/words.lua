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

-- What other nodes are told, in order; what is told of logs comes behind what is told of tables.
local told, told_of_logs = {}, {}
local function tell(...)
  for i = 1, select('#', ...) do told[#told + 1] = (select(i, ...)) end
end

local META = PREFIX .. 'meta'
local meta = {}
do
  local fields = { 'commit', 'position', 'floor', 'younger', 'dropped', 'queue' }
  local values = call('HMGET', META, unpack(fields))
  for i = 1, #fields do meta[fields[i]] = tonumber(values[i] or 0) end
end

-- The number of this commit, if it writes anything.
local COMMIT = meta.commit + 1
local COMMIT_TEXT = text_of(COMMIT)
