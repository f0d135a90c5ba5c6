-- The store has fewer commits than a node has heard of: a new epoch begins, unless another node has begun it. Numbers of commits go on behind all
-- that were heard of. Logs that are shorter than the node knows them begin another life, so that no number of theirs is taken for one that is lost.
-- Nobody owns a session any more: what former owners have still to write of it was decided on what is lost, and is refused.
local prefix, known, epoch, seen, block = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5])
local call = redis.call
local meta = prefix .. 'meta'
local function text(number) return string.format('%.0f', number) end

local commit = tonumber(call('HGET', meta, 'commit') or 0)
local lost = 0
if call('HGET', meta, 'epoch') == known then
  lost = math.max(0, seen - commit)
  commit = math.max(seen, commit) + 1
  local now = text(commit)
  call('HSET', meta, 'epoch', epoch, 'commit', now, 'position', now, 'floor', now, 'younger', now)
  call('UNLINK', prefix .. 'changed', prefix .. 'changed-before', prefix .. 'journal')
  for _, claims in ipairs({ 'owner', 'claimant' }) do call('UNLINK', prefix .. 't:' .. claims, prefix .. 'i:' .. claims) end
end

local life = text(commit)
local renewed = 0
for i = 6, #ARGV, 3 do
  local name, was, head_known = ARGV[i], ARGV[i + 1], tonumber(ARGV[i + 2])
  local key = prefix .. 'h:' .. name
  local values = call('HMGET', key, 'head', 'tail', 'life')
  local head, tail = tonumber(values[1] or 0), tonumber(values[2] or 1)
  if values[3] == was and head < head_known then
    for number = math.floor((tail - 1) / block), math.floor((head - 1) / block) do
      local from = prefix .. 'l:' .. was .. ':' .. text(number) .. ':' .. name
      if call('EXISTS', from) == 1 then call('RENAME', from, prefix .. 'l:' .. life .. ':' .. text(number) .. ':' .. name) end
    end
    for _, kind in ipairs({ 'n:', 'ni:' }) do
      local from = prefix .. kind .. was .. ':' .. name
      if call('EXISTS', from) == 1 then call('RENAME', from, prefix .. kind .. life .. ':' .. name) end
    end
    call('HSET', key, 'life', life, 'former', was)
    renewed = renewed + 1
  end
end
return { call('HGET', meta, 'epoch'), text(commit), call('HGET', meta, 'position') or '0', text(lost), text(renewed) }
