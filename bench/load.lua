-- What wrk sends: one body to one path, or, for many nodes, to each node's own path in
-- turn. Called as: wrk … -s load.lua URL -- path body [node nodes]
-- It ends with one line of JSON that says how it went.

function init(args)
  wrk.method = "POST"
  wrk.headers["Content-Type"] = "application/json"
  wrk.path, wrk.body = args[1], args[2]
  if args[3] then
    spread(args[3], tonumber(args[4]))
  end
end

-- spread sends to node-1 to node-n, in an order that is shuffled, so that neighbours in
-- the order are no neighbours in the server's memory, and the same in every run. All
-- requests are written out before the first is sent.
function spread(node, nodes)
  local requests = {}
  for n = 1, nodes do
    requests[n] = wrk.format(nil, (wrk.path:gsub(node:gsub("%p", "%%%0"), node .. "-" .. n)))
  end
  math.randomseed(1)
  for n = nodes, 2, -1 do
    local other = math.random(n)
    requests[n], requests[other] = requests[other], requests[n]
  end
  local last = 0
  request = function()
    last = last % nodes + 1
    return requests[last]
  end
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '{"requests":%d,"microseconds":%d,"p50":%d,"p99":%d,"refused":%d,"failed":%d}\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    errors.status, errors.connect + errors.read + errors.write + errors.timeout))
end
