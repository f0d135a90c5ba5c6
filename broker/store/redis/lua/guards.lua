-- Which records changed lately, and in which commit: two generations, of which the older is forgotten when the younger is full.
local YOUNGER, OLDER = PREFIX .. 'changed', PREFIX .. 'changed-before'
local CLEARED = '\2'
local has_touched = false
local touched = {}

local function touch(guard)
  if touched[guard] then return end
  touched[guard] = true
  has_touched = true
  write('HSET', YOUNGER, guard, COMMIT_TEXT)
end

local function changed_since(guard, at)
  local commit = call('HGET', YOUNGER, guard) or call('HGET', OLDER, guard)
  return commit and tonumber(commit) > at
end

-- Under which name it is noted that all records that the guard may be about were removed at once.
local function clearing_of(guard)
  local table_end = find(guard, '\0', 1, true)
  local owner_end = table_end and find(guard, '\0', table_end + 1, true)
  if owner_end then return sub(guard, 1, owner_end - 1) .. CLEARED end
  local name = find(guard, '\3', 1, true)
  return name and sub(guard, 1, name) .. CLEARED
end

local function has_changed(guard, at)
  if changed_since(guard, at) then return true end
  local clearing = clearing_of(guard)
  return clearing and changed_since(clearing, at)
end

-- The guards of a record, by the parts of its key.
local function touch_record(record_table, key)
  if UNGUARDED[record_table] then return end
  touch(record_table .. '\0' .. key)
  local owner_end = find(key, '\0', 1, true)
  if not owner_end then return end
  touch(record_table .. '\0' .. sub(key, 1, owner_end - 1))
  local name_end = find(key, '\0', owner_end + 1, true)
  touch(record_table .. '\3' .. sub(key, owner_end + 1, (name_end or 0) - 1))
end

local function touch_owner(record_table, owner)
  if UNGUARDED[record_table] then return end
  touch(record_table .. '\0' .. owner)
  touch(record_table .. '\0' .. owner .. CLEARED)
  touch(record_table .. '\3' .. CLEARED)
end

local function end_generation()
  if not has_touched or call('HLEN', YOUNGER) < MOST_CHANGES then return end
  call('UNLINK', OLDER)
  call('RENAME', YOUNGER, OLDER)
  meta.floor = meta.younger
  meta.younger = COMMIT
end
