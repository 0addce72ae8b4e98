-- Calls as an app that names its user and proves it. Options: proofs=FILE, key, path, threads; users=N: only the first so many, chosen at random;
-- once=yes: each user once, in order. All requests of the file are kept ready, however many are used: what the load generator's own memory costs
-- is the same for few users and for many.
dofile("bench/wrk/common.lua")

function init(args)
   local given = options(args)
   local proofs = my_lines({ tokens = given.proofs, threads = given.threads })
   count = given.users and math.max(1, math.floor(given.users / given.threads)) or #proofs
   local text = wrk.format("GET", given.path, {
      ["x-proficient-api-key"] = given.key,
      ["x-proficient-user-external-id"] = "\0",
      ["x-proficient-user-hmac"] = "\1",
   })
   requests = {}
   for at = 1, #proofs do
      local id, mac = proofs[at]:match("^(%S+) (%S+)$")
      requests[at] = (text:gsub("%z", id):gsub("\1", function() return mac end))
   end
   seed()
   next_one = 0
   if given.once then request = in_order end
end

function request()
   return requests[math.random(count)]
end

function in_order()
   next_one = next_one % count + 1
   return requests[next_one]
end
