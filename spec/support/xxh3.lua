--- XXH3 with 64 bits and a seed, for inputs of more than 16 bytes: so that
-- specs can make files with right checksums and unknown contents.

local SECRET = ([[
b8fe6c3923a44bbe7c01812cf721ad1cded46de9839097db7240a4a4b7b3671f
cb79e64eccc0e578825ad07dccff7221b8084674f743248ee03590e6813a264c
3c2852bb91c300cb88d0658b1b532ea371644897a20df94e3819ef46a9deacd8
a8fa763fe39c343ff9dcbbc7c70b4f1d8a51e04bcdb45931c89f7ec9d9787364
eac5ac8334d3ebc3c581a0fffa1363eb170ddd51b7f0da49d316552629d4689e
2b16be587d47a1fc8ff8b8d17ad031ce45cb3a8f95160428afd7fbcabb4b407e]])
  :gsub("%s", ""):gsub("%x%x", function(byte)
    return string.char(tonumber(byte, 16))
  end)

local P32 = { 0x9E3779B1, 0x85EBCA77, 0xC2B2AE3D }
local P64 = {
  0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9,
  0x85EBCA77C2B2AE63, 0x27D4EB2F165667C5,
}
local LOW = 0xFFFFFFFF

local function word(bytes, at)
  return (("<i8"):unpack(bytes, at + 1))
end

-- The two halves of a product of 128 bits, one laid over the other.
local function fold(a, b)
  local a0, a1, b0, b1 = a & LOW, a >> 32, b & LOW, b >> 32
  local low, middle, other = a0 * b0, a1 * b0, a0 * b1
  local carry = (low >> 32) + (middle & LOW) + (other & LOW)
  local high = a1 * b1 + (middle >> 32) + (other >> 32) + (carry >> 32)
  return (a * b) ~ high
end

local function avalanche(h)
  h = (h ~ (h >> 37)) * 0x165667919E3779F9
  return h ~ (h >> 32)
end

local function mix(bytes, at, secret_at, seed)
  return fold(word(bytes, at) ~ (word(SECRET, secret_at) + seed),
    word(bytes, at + 8) ~ (word(SECRET, secret_at + 8) - seed))
end

-- 17 to 128 bytes: pairs of 16 from both ends.
local function short(bytes, seed)
  local size = #bytes
  local h = size * P64[1]
  for pair = (size - 1) // 32, 0, -1 do
    h = h + mix(bytes, pair * 16, pair * 32, seed)
      + mix(bytes, size - 16 - pair * 16, pair * 32 + 16, seed)
  end
  return avalanche(h)
end

local function medium(bytes, seed)
  local h = #bytes * P64[1]
  for i = 0, 7 do
    h = h + mix(bytes, i * 16, i * 16, seed)
  end
  h = avalanche(h)
  for i = 8, #bytes // 16 - 1 do
    h = h + mix(bytes, i * 16, (i - 8) * 16 + 3, seed)
  end
  return avalanche(h + mix(bytes, #bytes - 16, 119, seed))
end

local function seeded_secret(seed)
  local words = {}
  for i = 0, 11 do
    words[#words + 1] = ("<i8i8"):pack(word(SECRET, i * 16) + seed,
      word(SECRET, i * 16 + 8) - seed)
  end
  return table.concat(words)
end

local function accumulate(acc, bytes, at, secret, secret_at)
  for i = 0, 7 do
    local value = word(bytes, at + i * 8)
    local key = value ~ word(secret, secret_at + i * 8)
    acc[i ~ 1] = acc[i ~ 1] + value
    acc[i] = acc[i] + (key & LOW) * (key >> 32)
  end
end

local function scramble(acc, secret)
  for i = 0, 7 do
    local h = acc[i]
    acc[i] = (h ~ (h >> 47) ~ word(secret, 128 + i * 8)) * P32[1]
  end
end

local function long(bytes, seed)
  local secret, size = seeded_secret(seed), #bytes
  local acc = {
    [0] = P32[3], P64[1], P64[2], P64[3], P64[4], P32[2], P64[5], P32[1],
  }
  local stripes = (size - 1) // 64
  for stripe = 0, stripes - 1 do
    accumulate(acc, bytes, stripe * 64, secret, stripe % 16 * 8)
    if stripe % 16 == 15 then
      scramble(acc, secret)
    end
  end
  accumulate(acc, bytes, size - 64, secret, 121)
  local h = size * P64[1]
  for i = 0, 3 do
    h = h + fold(acc[i * 2] ~ word(secret, 11 + i * 16),
      acc[i * 2 + 1] ~ word(secret, 19 + i * 16))
  end
  return avalanche(h)
end

--- @tparam string bytes at least 17
-- @tparam[opt=0] integer seed
-- @treturn integer
return function(bytes, seed)
  assert(#bytes > 16)
  return (#bytes <= 128 and short or #bytes <= 240 and medium or long)(bytes,
    seed or 0)
end
