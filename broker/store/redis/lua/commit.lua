-- Performs the changes of one request of a node, in their order, each as a whole or not at all. What a change is decided on is checked in
-- the state that the changes before it left. Words of a change: commit-words.ts; of the reply: answer.ts.
local NODES, ANSWER = PREFIX .. 'nodes', PREFIX .. 'answer:' .. NODE

if call('HEXISTS', NODES, NODE) == 0 then return redis.error_reply('FENCED this node is not known any more') end
if call('HGET', ANSWER, 'request') == REQUEST then return call('HGET', ANSWER, 'reply') end
if meta.commit < SEEN then return redis.error_reply('LOST the store has fewer commits than it had') end

local reply = {}
local results

-- Reads the guards of a change; returns whether they hold.
local function guards_hold()
  local at, keys = number(), number()
  local holds = keys == 0 or at >= meta.floor
  for _ = 1, keys do
    local guard = word()
    if holds and has_changed(guard, at) then holds = false end
  end
  for _ = 1, number() do
    local record_table, owner, most = word(), word(), number()
    if holds and not has_room(record_table, owner, most) then holds = false end
  end
  for _ = 1, number() do
    local record_table, key, expected, value = word(), word(), word(), word()
    local found = holds and read_record(record_table, key)
    if holds and ((expected == '1') ~= (found ~= false) or (found and found ~= value)) then holds = false end
  end
  if word() == '1' then
    local owners = {}
    for _ = 1, number() do owners[word()] = true end
    local topic, bytes, most, most_bytes = word(), number(), number(), number()
    if holds and is_beyond(owners, topic, bytes, most, most_bytes) then holds = false end
  end
  return holds, at
end

-- Whether a log was dropped since the change was decided.
local function is_former(name, at)
  if at >= meta.dropped then return false end
  return at < meta.floor or changed_since('note\0' .. key_part(name) .. CLEARED, at)
end

-- Reads a draft, and appends its entry unless it is a repetition.
local function draft()
  local name, wanted, before, after, due = word(), word(), word(), word(), word()
  local field = word()
  local bucket, generation, hash, rest, retry_only, has_effect
  if field ~= '' then bucket, generation, hash, rest = word(), number(), word(), word() end
  retry_only, has_effect = word() == '1', word() == '1'
  local log = log_of(name)
  local outcome
  if field ~= '' then
    local seq, known = dedupe_record(log, field, bucket, generation)
    if seq then outcome = (sub(known, 1, #hash) == hash and 'u' or 'f') .. seq .. ' ' .. sub(known, #hash + 1) end
  end
  if not outcome and retry_only then outcome = 'n' end
  if outcome then
    if has_effect then effect(nil) end
    results[#results + 1] = outcome
    return
  end
  -- Which logs webhooks take, the node may not know yet.
  if wanted == '1' or meta.webhooks > SEEN then log.wanted = true end
  local seq = append(log, before .. text_of(log.head + 1) .. after, due)
  if field ~= '' then remember(log, seq, field, bucket, generation, hash .. rest) end
  if has_effect then effect(log, seq) end
  results[#results + 1] = 'a' .. text_of(seq)
end

-- Reads the receivers of a message: all of them, and those whose queue takes it.
local function receivers(bytes)
  local all, takers, indices = 0, {}, {}
  for i = 1, number() do
    local session, qos, forced = word(), word(), word()
    all = i
    if forced == '1' or takes(session, bytes) then
      takers[#takers + 1] = { session = session, qos = qos }
      indices[#indices + 1] = text_of(i - 1)
    end
  end
  return all, takers, indices
end

local ops = {}
local dropping = {}

function ops.P() set_record(word(), word(), word()) end
function ops.X() delete_record(word(), word()) end
function ops.K() clear_records(word(), word()) end
function ops.W() has_wiped = true end
function ops.t() touch(word()) end

function ops.e()
  effect(log_of(word()), 0)
end

function ops.q()
  local packet, bytes, topic, cut = word(), word(), word(), word()
  local all, takers, indices = receivers(tonumber(bytes))
  if cut ~= '' and was_replaced(topic, tonumber(cut)) then all, takers, indices = 0, {}, {} end
  local position = enqueue(packet, bytes, takers)
  results[#results + 1] = 'q' .. position .. ' ' .. text_of(all - #takers) .. ' ' .. table.concat(indices, ' ')
end

function ops.D() dequeue(word(), word()) end
function ops.d() discard_queue(word()) end
function ops.R() retain(word(), word(), word(), word(), word()) end
function ops.r() clear_retained(word()) end

function ops.w()
  local topic, index, before, after, due = word(), number(), word(), word(), word()
  local seq = results[index + 1]:match('^a(%d+)$')
  if seq then retain(topic, before .. seq .. after, '', '0', due) end
end

function ops.c()
  results[#results + 1] = 'c' .. text_of(next_position())
end

function ops.m() read_log(word(), number(), word()) end
-- The last change of a request: what it does besides, it does before.
function ops.G() dropping[#dropping + 1] = word() end
function ops.T() trim_log(word(), number()) end
function ops.x() expire_block(word(), word(), word(), word()) end

-- All nodes know of the change, unless there was another one.
function ops.b()
  local level, commit = word(), word()
  if call('HGET', BUCKETS, level) == commit then write('HDEL', BUCKETS, level) end
end

-- The retained message of a topic has expired, unless it is not the one at that position any more.
function ops.y()
  local topic, position = word(), number()
  local facts = retained_facts(topic)
  if facts and facts.position == position then
    clear_retained(topic)
    has_wiped = true
  end
end

-- Returns false if the change, and so what comes behind it, has to wait until the node has caught up.
local function change()
  local words = number()
  local behind = position_of_word + words
  results = {}
  local holds, at = true, nil
  local has_guards = word()
  if has_guards == 'g' then holds, at = guards_hold()
  elseif has_guards == 'a' then at = number() end
  for _ = 1, number() do
    local level = word()
    if is_stale(level) then return false end
  end
  for _ = 1, number() do
    local name = word()
    if holds and at and is_former(name, at) then holds = false end
  end
  if not holds then
    position_of_word = behind
    reply[#reply + 1] = 'g'
    return true
  end
  for _ = 1, number() do draft() end
  while position_of_word < behind do ops[word()]() end
  reply[#reply + 1] = 'o'
  reply[#reply + 1] = packed(results)
  return true
end

local is_complete = true
for _ = 1, number() do
  if not change() then
    is_complete = false
    break
  end
end

for _, name in ipairs(dropping) do drop_log(name) end
end_logs()
end_generation()
local has_written = writes > 0 or has_moved
if has_touched then meta.position = COMMIT end
if has_written then
  meta.commit = COMMIT
  write('HSET', META, 'commit', COMMIT_TEXT, 'position', text_of(meta.position), 'floor', text_of(meta.floor), 'younger',
    text_of(meta.younger), 'dropped', text_of(meta.dropped), 'queue', text_of(meta.queue),
    'webhooks', text_of(meta.webhooks))
  if has_wiped then call('HSETNX', META, 'wiped', NOW) end
  if #others > 0 then
    local head = { COMMIT_TEXT, text_of(meta.position) }
    if #told > 0 then
      call('XADD', PREFIX .. 'journal', 'MAXLEN', '~', MOST_JOURNALED, COMMIT_TEXT .. '-1', 'm', packed(head) .. packed(told))
    end
    local message = packed(head) .. packed(told) .. packed(told_of_logs)
    for _, node in ipairs(others) do call(PUBLISH, PREFIX .. 'node:' .. node, message) end
  end
end

local answer = packed({ has_written and COMMIT_TEXT or '0', text_of(meta.commit), text_of(meta.position), text_of(writes),
  is_complete and '1' or '0', packed(told), packed(told_of_own_logs), packed(reply) })
call('HSET', ANSWER, 'request', REQUEST, 'reply', answer)
return answer
