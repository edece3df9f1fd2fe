-- May this call go ahead? For FreeSWITCH with mod_lua and mod_curl:
--
--   <action application="lua" data="authorise.lua"/>
--   <action application="bridge" data="sofia/gateway/carrier/${destination_number}"/>
--
-- The call's id is ${uuid}, which mod_json_cdr and mod_cdr_csv write too, so that the record gives the reservation back.
-- The curl command takes its arguments apart at spaces: the body has none. A token in a header needs `append_headers`,
-- which older builds of mod_curl do not have; put a proxy that adds it beside such a switch.
-- By https only where mod_curl verifies certificates (validate-certs in curl.conf.xml; see README.md), else to this machine.

local base = "http://127.0.0.1:8080/v1/authorisations"
local json = require("cjson")
local api = freeswitch.API()

local function post(path, body)
  local answer = api:execute("curl", base .. path .. " content-type application/json post " .. json.encode(body))
  local is_read, read = pcall(json.decode, answer)
  return is_read and type(read) == "table" and read or nil
end

local org = session:getVariable("drawdown_org")
local call = { orgId = org, callId = session:getVariable("uuid") }
local answer = post("", {
  orgId = org,
  callId = call.callId,
  userId = session:getVariable("drawdown_user"),
  calleeNumber = session:getVariable("destination_number"),
  -- As much as there is: this switch does not ask again.
  seconds = 14400,
})

if not answer then
  -- Nobody answered. Emergency numbers belong in an extension before this one.
  session:hangup("NORMAL_TEMPORARY_FAILURE")
elseif answer.allowed ~= true then
  -- A script that fails lets the dialplan go on to the bridge: an answer of another kind is refused too.
  local reason = type(answer.refusal) == "table" and answer.refusal.reason or answer.type
  freeswitch.consoleLog("notice", "refused: " .. tostring(reason) .. "\n")
  session:hangup("CALL_REJECTED")
elseif answer.grantedSeconds then
  -- From the answer of the called party on; a call that rings for a minute ends a minute after its grant, within the
  -- grace of the reservation.
  session:execute("set", "execute_on_answer=sched_hangup +" .. answer.grantedSeconds .. " allotted_timeout")
  -- A call that nobody answers leaves a record of no seconds, which gives the reservation back.
end
