-- Which of some buckets of client-chosen ids hold any: of most deployments few do, so many are asked about at a time.
local name, first, count = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local AT_ONCE = 128
local found = {}
for from = first, first + count - 1, AT_ONCE do
  local keys = {}
  for bucket = from, math.min(from + AT_ONCE, first + count) - 1 do keys[#keys + 1] = name .. bucket end
  if redis.call('EXISTS', unpack(keys)) > 0 then
    for i, key in ipairs(keys) do
      if redis.call('EXISTS', key) == 1 then found[#found + 1] = from + i - 1 end
    end
  end
end
return found
