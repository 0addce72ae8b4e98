-- Signs new users up. Options: key, run: a number of three digits that no earlier run had, so that its users are new.
dofile("bench/wrk/common.lua")

function init(args)
   local given = options(args)
   local before = '{"method":4,"email":"new' .. given.run .. number .. '_'
   head, tail = cut_post("/auth/v1/private/signup", { ["verification-token"] = given.key }, before,
      '@example.com","clientId":"c1","projectId":"p1","userAttributes":{"givenName":"Ada","familyName":"Byron"}}', 8)
   count = 0
end

function request()
   count = count + 1
   return head .. string.format("%08d", count) .. tail
end
