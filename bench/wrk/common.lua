-- What the scripts share. Each has its own copy of all this in each of wrk's threads.

local threads = 0

function setup(thread)
   threads = threads + 1
   thread:set("number", threads)
end

-- Options are given as NAME=VALUE behind `--`.
function options(args)
   local given = {}
   for _, arg in ipairs(args) do
      local name, value = arg:match("^([%w_]+)=(.*)$")
      if name then given[name] = value end
   end
   return given
end

-- The text of a POST whose body has always the same length, cut where the varying part of the body stands.
function cut_post(path, headers, before, after, varying)
   local body = before .. string.rep("\0", varying) .. after
   headers["content-type"] = "application/json"
   local text = wrk.format("POST", path, headers, body)
   return text:sub(1, #text - varying - #after), text:sub(#text - #after + 1)
end

-- The lines of a file that belong to this thread: every second one, if there are two.
function my_lines(given)
   local mine, count = {}, 0
   for line in io.lines(given.tokens) do
      count = count + 1
      if count % given.threads == number % given.threads then mine[#mine + 1] = line end
   end
   return mine
end

-- Users are numbered, and found by e-mail: see fill.py.
function email(user)
   return string.format("user%07d@example.com", user)
end
EMAIL_LENGTH = #email(0)

function seed()
   math.randomseed(os.time() * 64 + number)
end

-- The last line is for the program that started this.
function done(summary, latency)
   local errors = summary.errors
   io.write(string.format(
      '\n{"requests":%d,"microseconds":%d,"p50":%d,"p99":%d,"failed":%d}\n',
      summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
      errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
