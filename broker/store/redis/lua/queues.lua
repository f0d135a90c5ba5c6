-- Queues of plain topics, and retained messages. Both take their positions from one counter.
local PACKETS, REFERENCES, QUEUED_BYTES = PREFIX .. 'qp', PREFIX .. 'qr', PREFIX .. 'qb'
local RETAINED, TOPICS, RETAINED_FACTS, RETAINED_DUE =
  PREFIX .. 'r', PREFIX .. 'ri', PREFIX .. 'rf', PREFIX .. 'rdue'
local RETAINED_COUNTS, RETAINED_BYTES = PREFIX .. 'rc', PREFIX .. 'rb'

local has_moved = false
local function next_position()
  has_moved = true
  meta.queue = meta.queue + 1
  return meta.queue
end

local function queue_of(session)
  return PREFIX .. 'q:' .. session
end

local function takes(session, bytes)
  if call('ZCARD', queue_of(session)) >= MOST_QUEUED then return false end
  return tonumber(call('HGET', QUEUED_BYTES, session) or 0) + bytes <= MOST_QUEUED_BYTES
end

local function enqueue(packet, bytes, takers)
  local position = next_position()
  local text = text_of(position)
  if #takers == 0 then return text end
  write('HSET', PACKETS, text, packet)
  write('HSET', REFERENCES, text, #takers)
  local sessions = {}
  for i, taker in ipairs(takers) do
    write('ZADD', queue_of(taker.session), text, text .. ' ' .. taker.qos .. ' ' .. bytes)
    write('HINCRBY', QUEUED_BYTES, taker.session, bytes)
    sessions[i] = taker.session
  end
  tell('Q', text, bytes, packed(sessions))
  return text
end

local function dequeue(session, position)
  local queue = queue_of(session)
  local reference = call('ZRANGEBYSCORE', queue, position, position)[1]
  if not reference then return end
  write('ZREM', queue, reference)
  if write('HINCRBY', QUEUED_BYTES, session, '-' .. reference:match('%d+$')) == 0 then write('HDEL', QUEUED_BYTES, session) end
  if write('HINCRBY', REFERENCES, position, -1) <= 0 then
    write('HDEL', REFERENCES, position)
    write('HDEL', PACKETS, position)
  end
  tell('D', session, position)
end

local function discard_queue(session)
  for _, reference in ipairs(call('ZRANGE', queue_of(session), 0, -1)) do
    dequeue(session, reference:match('^%d+'))
  end
end

-- Owner, bytes and position of a retained message.
local function retained_facts(topic)
  local facts = call('HGET', RETAINED_FACTS, topic)
  if not facts then return nil end
  local owner, bytes, position = facts:match('^(.*)%z(%d+)%z(%d+)$')
  return { owner = owner, bytes = tonumber(bytes), position = tonumber(position) }
end

local function count_retained(owner, messages, bytes)
  if owner == '' then return end
  if write('HINCRBY', RETAINED_COUNTS, owner, messages) == 0 then
    write('HDEL', RETAINED_COUNTS, owner)
    write('HDEL', RETAINED_BYTES, owner)
  else
    write('HINCRBY', RETAINED_BYTES, owner, text_of(bytes))
  end
end

local function clear_retained(topic)
  local facts = retained_facts(topic)
  local position = text_of(next_position())
  write('ZREM', RETAINED_DUE, topic)
  tell('r', topic, position)
  if not facts then return end
  write('HDEL', RETAINED, topic)
  write('HDEL', RETAINED_FACTS, topic)
  write('ZREM', TOPICS, topic)
  count_retained(facts.owner, -1, -facts.bytes)
end

local function retain(topic, packet, owner, bytes, due)
  local facts = retained_facts(topic)
  local position = text_of(next_position())
  if facts then count_retained(facts.owner, -1, -facts.bytes) else write('ZADD', TOPICS, 0, topic) end
  count_retained(owner, 1, tonumber(bytes))
  -- With its position: one that is newer than a node's memory is known by it.
  write('HSET', RETAINED, topic, position .. '\0' .. packet)
  write('HSET', RETAINED_FACTS, topic, owner .. '\0' .. bytes .. '\0' .. position)
  if due == '' then write('ZREM', RETAINED_DUE, topic) else write('ZADD', RETAINED_DUE, due, topic) end
  tell('R', topic, owner, bytes, position)
end

-- Whether the retained message of a topic is not the one it was at a position.
local function was_replaced(topic, position)
  local facts = retained_facts(topic)
  return not facts or facts.position > position
end

-- As RetainedCounts.room of retained-counts.ts.
local function is_beyond(owners, topic, bytes, most, most_bytes)
  local before = retained_facts(topic)
  local is_own = before and owners[before.owner]
  local adds, adds_bytes = 1, bytes
  if is_own then adds, adds_bytes = 0, math.max(0, bytes - before.bytes) end
  if adds + adds_bytes == 0 then return false end
  local total, total_bytes = adds, adds_bytes
  for owner in pairs(owners) do
    total = total + tonumber(call('HGET', RETAINED_COUNTS, owner) or 0)
    total_bytes = total_bytes + tonumber(call('HGET', RETAINED_BYTES, owner) or 0)
  end
  return (not is_own and total > most) or total_bytes > most_bytes
end

-- Whether subscriptions that match a topic of this first level may have changed since the node matched it.
local function is_stale(level)
  local of_level, of_all = unpack(call('HMGET', BUCKETS, level, '+'))
  return tonumber(of_level or 0) > SEEN or tonumber(of_all or 0) > SEEN
end
