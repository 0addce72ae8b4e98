-- Vouches for users there are, chosen at random. Options: key, users; tokens=FILE keeps the answers' access and refresh tokens.
dofile("bench/wrk/common.lua")

function init(args)
   local given = options(args)
   users = tonumber(given.users)
   head, tail = cut_post("/auth/v1/private/signin", { ["verification-token"] = given.key },
      '{"method":4,"email":"', '","clientId":"c1","projectId":"p1"}', EMAIL_LENGTH)
   seed()
   if given.tokens then keep(given.tokens .. "." .. number) end
end

function request()
   return head .. email(math.random(0, users - 1)) .. tail
end

-- Only where tokens are wanted: looking at answers takes time.
function keep(name)
   local file = assert(io.open(name, "w"))
   file:setvbuf("full", 1048576)
   function response(status, _, body)
      local access, refresh = body:match('"authToken":"([^"]+)","refreshToken":"([^"]+)"')
      if status == 200 then file:write(access, " ", refresh, "\n") end
   end
end
