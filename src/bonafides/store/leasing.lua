-- The rule of leasing.py: `hand_out` and `lease`, to be carried out inside Valkey or Redis, as one step.
-- tests/store/test_valkey.py holds the two to each other, answer by answer.
--
-- KEYS: the part's era, whether it is settling, and a subject's windows (without them, the first two are told).
-- All three carry the same {tag}, so they are on one server of a cluster.

local SECOND, HOUR, VALID, RETRY = 1000000, 3600000000, 10000000, 250000
local HOUR_SHARE, BURST_SHARE, FREE_SHARE = 100, 8, 4
local LISTENING_MS, KEPT_MS = 1000, 3720000

-- A server that does not know this script has been restarted, or took over from another: its memory may lack the end.
local restarted, new_era, settling_ms = ARGV[1] == '1', ARGV[2], tonumber(ARGV[3])
local era = redis.call('GET', KEYS[1])
local settling = redis.call('PTTL', KEYS[2])
if not era or (restarted and settling < 0) then
  era, settling = new_era, settling_ms
  redis.call('SET', KEYS[1], era)
  redis.call('SET', KEYS[2], '', 'PX', settling)
end
if not KEYS[3] then return {era, math.max(0, settling)} end

local function number(position) return tonumber(ARGV[position]) end
local now, holder, hourly, burst = number(4), ARGV[5], number(6), number(7)
local spent, keeps, recent, burst_left = number(8), ARGV[9] == '1', number(10), number(11)
local wanted, least = number(12), number(13)
local known = {era = ARGV[14], hour_left = number(15), hour_used = number(16), hour_taken = number(17),
               granted = number(18), valid_left = number(19)}

-- Windows are kept as text: a line of figures and the era, then a line for each holder and each witness.
local hour_ends, hour_used, burst_ends, burst_used, seen, least_used, windows_era = 0, 0, 0, 0, 0, 0, ''
local held, told = {}, {}
for line in (redis.call('GET', KEYS[3]) or ''):gmatch('[^\n]+') do
  local word = {}
  for each in line:gmatch('%S+') do word[#word + 1] = each end
  if word[1] == 'held' then
    held[word[2]] = {units = tonumber(word[3]), until_ = tonumber(word[4]), burst_ends = tonumber(word[5])}
  elseif word[1] == 'told' then
    told[word[2]] = tonumber(word[3])
  else
    hour_ends, hour_used, burst_ends = tonumber(word[1]), tonumber(word[2]), tonumber(word[3])
    burst_used, seen, least_used = tonumber(word[4]), tonumber(word[5]), tonumber(word[6])
    windows_era = word[7]
  end
end

local function save()
  local lines = {string.format('%.0f %.0f %.0f %.0f %.0f %.0f %s',
                               hour_ends, hour_used, burst_ends, burst_used, seen, least_used, windows_era)}
  for name, each in pairs(held) do
    lines[#lines + 1] = string.format('held %s %.0f %.0f %.0f', name, each.units, each.until_, each.burst_ends)
  end
  for name, taken in pairs(told) do
    lines[#lines + 1] = string.format('told %s %.0f', name, taken)
  end
  redis.call('SET', KEYS[3], table.concat(lines, '\n'), 'PX', KEPT_MS)
end

local function counted()
  local sum = 0
  for _, taken in pairs(told) do sum = sum + taken end
  return math.max(least_used, sum)
end

-- hand_out, _remember
local seen_now = math.max(now, seen)
if windows_era ~= era then
  windows_era, least_used, told, held = era, hour_used, {}, {}
end
if seen_now >= hour_ends then
  hour_used, least_used, told, held = 0, 0, {}, {}
end
if known.era ~= '' and known.era ~= era and known.hour_left > 0 and not told[holder] then
  local before = counted()
  told[holder] = known.hour_taken
  least_used = math.max(least_used, known.hour_used)
  hour_used = hour_used + counted() - before
  hour_ends = math.max(hour_ends, seen_now + known.hour_left)
  if known.granted > 0 then
    held[holder] = {units = known.granted, until_ = seen_now + known.valid_left, burst_ends = burst_ends}
    if seen_now < burst_ends then burst_used = burst_used + known.granted end
  end
  if settling > 0 and settling < LISTENING_MS then
    -- While one is heard, others may still be speaking.
    redis.call('SET', KEYS[2], '', 'PX', LISTENING_MS)
  end
end
if settling > 0 and wanted > 0 then
  save()
  return {era, settling}
end

-- lease
now, seen = seen_now, seen_now
if now >= hour_ends then
  held, hour_used = {}, 0
  hour_ends = wanted > 0 and now + HOUR or 0
end
local own = held[holder]
held[holder] = nil
local rest = own and math.max(0, own.units - spent) or 0
local kept = (own and keeps and own.until_ > now) and rest or 0
hour_used = hour_used - (rest - kept)

-- _bring_up_to_date
if now < burst_ends then
  if own and own.burst_ends == burst_ends then burst_used = burst_used - rest end
else
  local opened = burst_left > 0 and math.min(recent, spent) or 0
  if wanted > 0 or opened > 0 then
    burst_ends = (opened > 0 and math.max(burst_ends, now + math.min(burst_left, SECOND) - SECOND) or now) + SECOND
    burst_used = opened
    for _, other in pairs(held) do
      if other.until_ > now then
        burst_used = burst_used + other.units
        other.burst_ends = burst_ends
      end
    end
  end
end
if kept > 0 then burst_used = burst_used + kept end

-- _room
local units, by_hour = 0, false
if wanted > 0 then
  units = math.max(wanted, least)
  local windows = {{hourly, hour_used, HOUR_SHARE, true}, {burst, burst_used, BURST_SHARE, false}}
  for _, window in ipairs(windows) do
    local limit, used, share, hour = window[1], window[2], window[3], window[4]
    if limit then
      local free = limit - used
      if free < least then
        units, by_hour = 0, hour
        break
      end
      units = math.min(units, math.max(least, math.min(math.floor(limit / share), math.floor(free / FREE_SHARE))))
    end
  end
end

local lasts = math.min(VALID, hour_ends - now)
hour_used = hour_used + units
burst_used = burst_used + units
if units + kept > 0 then
  held[holder] = {units = units + kept, until_ = now + lasts, burst_ends = burst_ends}
end
local blocked = (by_hour and hour_ends or burst_ends) - now
if burst_used == 0 then burst_ends = 0 end
if hour_used == 0 then hour_ends = 0 end
local any_in_hands, in_hands, counted_in_burst = false, 0, 0
for _, each in pairs(held) do
  if each.until_ > now then
    any_in_hands = true
    in_hands = in_hands + each.units
    if each.burst_ends == burst_ends then counted_in_burst = counted_in_burst + each.units end
  end
end
save()
local refused = 0
if units == 0 then refused = math.max(0, any_in_hands and math.min(blocked, RETRY) or blocked) end
return {era, settling > 0 and settling or 0, units, units + kept > 0 and lasts or 0,
        math.max(0, hour_ends - now), hour_used - in_hands,
        math.max(0, burst_ends - now), burst_used - counted_in_burst,
        refused, by_hour and 1 or 0}
