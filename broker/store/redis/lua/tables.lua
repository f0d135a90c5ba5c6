-- Records. A key of one part is a field of its table's hash; a key of several is a field of the hash of its owner. An index keeps the
-- keys of the one kind, or the owners of the other, in their order.
local has_wiped = false

local function owner_and_name(key)
  local owner_end = find(key, '\0', 1, true)
  if owner_end then return sub(key, 1, owner_end - 1), sub(key, owner_end + 1) end
end

local function records_of(record_table, owner)
  return PREFIX .. 't:' .. record_table .. (owner and ':' .. owner or '')
end

local function index_of(record_table)
  return PREFIX .. 'i:' .. record_table
end

-- Where it is noted when subscriptions changed: by the first level of their filter.
local BUCKETS = PREFIX .. 'subscriptions'

local function note_subscription(filter)
  local level = sub(filter, 1, (find(filter, '/', 1, true) or 0) - 1)
  write('HSET', BUCKETS, level == '#' and '+' or level, COMMIT_TEXT)
end

-- The commit that changed webhooks last.
local function note_webhook(record_table)
  if record_table == 'webhook' then meta.webhooks = COMMIT end
end

local function set_record(record_table, key, value)
  local owner, name = owner_and_name(key)
  if not owner then
    if write('HSET', records_of(record_table), key, value) == 1 then write('ZADD', index_of(record_table), 0, key) end
  else
    local records = records_of(record_table, owner)
    if write('HSET', records, name, value) == 1 and call('HLEN', records) == 1 then
      write('ZADD', index_of(record_table), 0, owner)
    end
    if record_table == 'subscription' then note_subscription(name) end
  end
  note_webhook(record_table)
  touch_record(record_table, key)
  if not UNTOLD[record_table] then tell('P', record_table, key, value) end
end

local function delete_record(record_table, key)
  local owner, name = owner_and_name(key)
  if not owner then
    if write('HDEL', records_of(record_table), key) == 1 then write('ZREM', index_of(record_table), key) end
  else
    local records = records_of(record_table, owner)
    if write('HDEL', records, name) == 1 and call('EXISTS', records) == 0 then
      write('ZREM', index_of(record_table), owner)
    end
    if record_table == 'subscription' then note_subscription(name) end
  end
  touch_record(record_table, key)
  if not UNTOLD[record_table] then tell('X', record_table, key) end
end

local function clear_records(record_table, owner)
  local records = records_of(record_table, owner)
  if record_table == 'subscription' then
    for _, filter in ipairs(call('HKEYS', records)) do note_subscription(filter) end
  end
  if write('UNLINK', records) == 1 then write('ZREM', index_of(record_table), owner) end
  touch_owner(record_table, owner)
  if not UNTOLD[record_table] then tell('K', record_table, owner) end
end

local function read_record(record_table, key)
  local owner, name = owner_and_name(key)
  return call('HGET', records_of(record_table, owner), name or key)
end

local function has_room(record_table, owner, most)
  return call('HLEN', records_of(record_table, owner)) < most
end
