/** What `GET /_simulator` answers: how to drive the simulator by hand. */
export function helpPage(url: string, token: string): string {
  return `The simulated CSP. CSP_BASE_URL=${url}/v2, NIOSXAAS_BASE_URL=${url}

As the broker sees it:

  curl -H 'Authorization: Token ${token}' ${url}/v2/current_user/accounts
  curl -X DELETE -H 'Authorization: Token ${token}' ${url}/v2/sandbox/accounts/<uuid>
  curl -d '{"name":"lab-1"}' -H 'Authorization: Token ${token}' ${url}/v2/sandbox/accounts

Faults (PUT replaces all, POST adds one, DELETE takes all away):

  curl ${url}/_simulator/faults
  curl -X DELETE ${url}/_simulator/faults
  curl -X PUT ${url}/_simulator/faults -d '{"faults":[{"kind":"error","call":"delete"}]}'
  curl ${url}/_simulator/faults -d '{"kind":"latency","call":"delete","milliseconds":5000,"max_milliseconds":10000}'
  curl ${url}/_simulator/faults -d '{"kind":"hang","call":"list","times":1}'
  curl ${url}/_simulator/faults -d '{"kind":"rate_limited","retry_after":30,"probability":0.2}'
  curl ${url}/_simulator/faults -d '{"kind":"html","status":503}'
  curl ${url}/_simulator/faults -d '{"kind":"unauthorized"}'
  curl ${url}/_simulator/faults -d '{"kind":"empty_list"}'
  curl ${url}/_simulator/faults -d '{"kind":"short_list","keep":10}'
  curl ${url}/_simulator/faults -d '{"kind":"truncated_json","call":"list"}'
  curl ${url}/_simulator/faults -d '{"kind":"cut_connection","call":"list"}'
  curl ${url}/_simulator/faults -d '{"kind":"reset","call":"delete","account":"lab-adventure-0007","after_effect":true}'
  curl ${url}/_simulator/faults -d '{"kind":"delete_burst","limit":4,"window_seconds":60}'

  call          list, delete, create, niosxaas_sign_in, niosxaas_switch, niosxaas_list, niosxaas_delete,
                or niosxaas for the last four; every call where it is missing
  account       id, uuid, csp_id or name: only calls for that account
  times         so many times, then the fault is gone
  probability   of striking, from 0 to 1
  after_effect  the call does what it does, and then the fault hides it

Settings (PUT changes those that it names):

  curl ${url}/_simulator/settings
  curl -X PUT ${url}/_simulator/settings -d '{"delete_min_ms":0,"delete_max_ms":0}'   how long a delete takes: with
                "npm run local" and "simulate-csp" 5 to 10 s, as the real one
  curl -X PUT ${url}/_simulator/settings -d '{"linger_seconds":120}'      deleted accounts are still listed so long
  curl -X PUT ${url}/_simulator/settings -d '{"linger_listings":2}'       or in so many listings
  curl -X PUT ${url}/_simulator/settings -d '{"page_size":100,"paging":"offset"}'   or link, page, token, total

Accounts (a DELETE here is an outsider's: at once, without lingering):

  curl ${url}/_simulator/accounts
  curl ${url}/_simulator/accounts -d '{"count":56,"name_prefix":"lab-","services":["Instruqt-SaaS"]}'
  curl -X DELETE ${url}/_simulator/accounts/lab-adventure-0007
  curl -X DELETE ${url}/_simulator/accounts

What it was asked (the last 100, or as many as limit says):

  curl '${url}/_simulator/log?call=delete&limit=20'
  curl -X DELETE ${url}/_simulator/log
`;
}
