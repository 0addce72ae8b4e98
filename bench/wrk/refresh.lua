-- Refreshes sessions: each answer's refresh token is a later request's. Options: tokens=FILE, threads.
dofile("bench/wrk/common.lua")

function init(args)
   local given = options(args)
   pool, first, last = {}, 1, 0
   for _, line in ipairs(my_lines(given)) do
      put(line:match(" (.+)$"))
   end
   head, tail = cut_post("/auth/v1/refreshtoken", {}, '{"refreshToken":"', '"}', #pool[1])
end

function put(token)
   last = last + 1
   pool[last] = token
end

function request()
   local token = pool[first]
   pool[first] = nil
   first = first + 1
   -- Where there is none left, something has failed; the server says so.
   return head .. (token or "none") .. tail
end

function response(status, _, body)
   if status == 200 then put(body:match('"refreshToken":"([^"]+)"')) end
end
