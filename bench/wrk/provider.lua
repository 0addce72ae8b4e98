-- Calls of the OpenID provider. Options: path=PATH; basic=BASE64, what Authorization says; body=FORM, else it is a GET; tokens=FILE, threads:
-- {} in the form stands for a word of its lines, the first unless word=2; once=yes: shows each once; next=MEMBER: shows later what
-- that member of an answer says.
dofile("bench/wrk/common.lua")

function init(args)
   local given = options(args)
   local headers = {}
   if given.basic then headers.authorization = "Basic " .. given.basic end
   if not given.body then
      whole = wrk.format("GET", given.path, headers)
      return
   end
   headers["content-type"] = "application/x-www-form-urlencoded"
   if not given.tokens then
      whole = wrk.format("POST", given.path, headers, given.body)
      return
   end
   pool, first, last, spends = {}, 1, 0, given.once or given.next
   local pattern = given.word == "2" and "^%S+ (%S+)" or "^(%S+)"
   for _, line in ipairs(my_lines(given)) do put(line:match(pattern)) end
   local before, after = given.body:match("^(.*){}(.*)$")
   local body = before .. string.rep("\0", #pool[1]) .. after
   head, tail = wrk.format("POST", given.path, headers, body):match("^(.-)%z+(.*)$")
   if given.next then
      member = '"' .. given.next .. '":"([^"]+)"'
      response = keep
   end
end

function put(token)
   last = last + 1
   pool[last] = token
end

function request()
   if whole then return whole end
   local token = pool[first]
   if spends then pool[first] = nil end
   first = first + 1
   if not spends and first > last then first = 1 end
   -- Where there is none left, the server says so, and that counts as a failure.
   return head .. (token or "none") .. tail
end

function keep(status, _, body)
   if status == 200 then put(body:match(member)) end
end
