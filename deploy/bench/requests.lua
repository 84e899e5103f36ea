-- Bodies for wrk. MODE: single (each body new), repeat (one body), batch (BATCH new reports a body),
-- live (one transaction of this moment, of the learned sources l1 .. ln).
-- SOURCES=n spreads the reports over the sources s1 .. sn; RUN makes the bodies of each run new.
local mode = os.getenv("MODE") or "single"
local size = tonumber(os.getenv("BATCH") or "1000")
local sources = tonumber(os.getenv("SOURCES") or "0")
local run = tonumber(os.getenv("RUN") or "1")
local path = os.getenv("TARGET") or (mode == "batch" and "/transactions/batch" or "/transaction")
local statuses = {"approved", "approved", "approved", "approved", "approved", "approved", "approved",
  "approved", "approved", "denied", "denied", "failed", "reversed", "refunded"}
local headers = {["Content-Type"] = "application/json"}
local started, sent, thread_number = os.time(), 0, 0

function setup(thread)
  thread_number = thread_number + 1
  thread:set("number", thread_number)
end

function init(_)
  math.randomseed(run * 1000 + number)
end

local function report()
  sent = sent + 1
  local second = started - 120 - (sent * 7 + number * 100003) % 864000
  local when = os.date("!%Y-%m-%dT%H:%M:%S", second)
  local fraction = (run * 7919 + number * 104729 + sent) % 1000000
  local status = statuses[math.random(#statuses)]
  local code = status == "denied" and "51" or "00"
  local source = sources > 0 and string.format(',"source":"s%d"', math.random(sources)) or ""
  return string.format('{"timestamp":"%s.%06dZ","status":"%s","count":%d,"auth_code":"%s"%s}',
    when, fraction, status, 80 + math.random(70), code, source)
end

local function transaction()
  sent = sent + 1
  local status = statuses[math.random(#statuses)]
  return string.format('{"timestamp":"%s.%06dZ","status":"%s","count":1,"auth_code":"%s","source":"l%d"}',
    os.date("!%Y-%m-%dT%H:%M:%S"), (run * 7919 + sent) % 1000000, status,
    status == "denied" and "51" or "00", math.random(sources))
end

local repeated = '{"timestamp":"2025-07-12T13:45:00","status":"approved","count":117,"auth_code":"00"}'

function request()
  if mode == "repeat" then
    return wrk.format("POST", path, headers, repeated)
  end
  if mode == "batch" then
    local reports = {}
    for index = 1, size do reports[index] = report() end
    return wrk.format("POST", path, headers,
      '{"transactions":[' .. table.concat(reports, ",") .. "]}")
  end
  return wrk.format("POST", path, headers, mode == "live" and transaction() or report())
end

function done(summary, latency, _)
  io.stderr:write(string.format(
    '@@{"requests":%d,"seconds":%.6f,"p50_ms":%.3f,"p95_ms":%.3f,"p99_ms":%.3f,"refused":%d,"broken":%d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3,
    latency:percentile(95) / 1e3, latency:percentile(99) / 1e3, summary.errors.status,
    summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout))
end
