-- Asks who a token is. Options: tokens=FILE, threads; once=yes: shows each token once.
dofile("bench/wrk/common.lua")

function init(args)
   local given = options(args)
   tokens = my_lines(given)
   for at, line in ipairs(tokens) do tokens[at] = line:match("^(%S+) ") end
   local text = wrk.format("GET", "/v1/me", { authorization = "Bearer \0" })
   head, tail = text:match("^(.*)%z(.*)$")
   next_one = 0
   if given.once then seen_again = give_up end
end

function request()
   next_one = next_one + 1
   if next_one > #tokens then
      next_one = 1
      seen_again()
   end
   return head .. tokens[next_one] .. tail
end

function seen_again() end

-- A token that no server knows is refused, and a refusal counts as a failure.
function give_up()
   tokens = { "there-are-no-more" }
end
