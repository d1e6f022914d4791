#!/bin/sh
# Takes one sandbox from the Sandbox Broker for this play of a lab, and keeps what it got for the lab's other
# scripts. Needs a POSIX shell and curl. README.md tells how to use it and lists the variables and exit codes.
#
# A trace would print the token, so there is none, not even under `sh -x`.
{ set +x; } 2> /dev/null
set -u
LC_ALL=C
export LC_ALL
program=setup-sandbox

# ---- shared part: the same lines in setup-sandbox.sh and cleanup-sandbox.sh ----
# Each script stands alone, because a lab takes one file for its set-up and one for its clean-up.
# A test compares the two copies.

newline='
'

say() {
  printf '%s: %s\n' "$program" "$*" >&2
}

# fail CODE MESSAGE
fail() {
  exit_code=$1
  shift
  say "$*"
  exit "$exit_code"
}

# require_id NAME VALUE: the limits of the broker, checked here so that a lab with a bad value hears of it
# without a call. They also keep a line break out of the configuration that curl reads.
require_id() {
  [ -n "$2" ] || fail 2 "$1 is empty"
  case $2 in
    *[!!-~]*) fail 2 "$1 may hold printable ASCII only, without spaces" ;;
  esac
  [ "${#2}" -le 256 ] || fail 2 "$1 is longer than 256 characters"
}

# require_seconds NAME VALUE LOWEST: a leading zero is refused because the shell would read it as octal.
require_seconds() {
  case $2 in
    *[!0-9]* | 0?* | ??????*) fail 2 "$1 must be a whole number of seconds from $3 to 99999" ;;
  esac
  [ "$2" -ge "$3" ] || fail 2 "$1 must be a whole number of seconds from $3 to 99999"
}

# Reads what every call needs: the broker's address, the token, the caller's id and the limits in time.
read_connection() {
  command -v curl > /dev/null || fail 2 'curl is not installed on this host'

  broker_url=${BROKER_URL:-}
  [ -n "$broker_url" ] || fail 2 'BROKER_URL is empty; it looks like https://broker.example/v1'
  while [ "$broker_url" != "${broker_url%/}" ]; do broker_url=${broker_url%/}; done
  case $broker_url in
    *[!!-~]* | *[?#]*) fail 2 'BROKER_URL may hold no space, no query and no fragment' ;;
    http://?* | https://?*) ;;
    *) fail 2 'BROKER_URL must begin with https:// (or http://)' ;;
  esac

  # Programs that this script starts have no need of the token: it leaves the environment here.
  token=${BROKER_API_TOKEN:-}
  unset BROKER_API_TOKEN
  [ -n "$token" ] || fail 2 'BROKER_API_TOKEN is empty; make it a secret of the track'
  case $token in
    *[!!-~]*) fail 2 'BROKER_API_TOKEN may hold printable ASCII only, without spaces' ;;
  esac

  participant=${INSTRUQT_PARTICIPANT_ID:-}
  [ -n "$participant" ] || fail 2 'INSTRUQT_PARTICIPANT_ID is empty: this play has no participant' \
    '(a hot start?), and without one it would share its claim with other plays'
  require_id INSTRUQT_PARTICIPANT_ID "$participant"

  budget=${BROKER_BUDGET_SECONDS:-180}
  connect_seconds=${BROKER_CONNECT_SECONDS:-5}
  try_seconds=${BROKER_TRY_SECONDS:-20}
  require_seconds BROKER_BUDGET_SECONDS "$budget" 1
  require_seconds BROKER_CONNECT_SECONDS "$connect_seconds" 1
  require_seconds BROKER_TRY_SECONDS "$try_seconds" 1

  # One request id for the whole run: when an answer is lost, it is the only way to find the call in the log
  # of the broker.
  run_request_id=lab-$(od -An -N8 -tx1 /dev/urandom | tr -d ' \n')

  tries=0
  elapsed=0
}

# quoted VALUE: sets $quoted to VALUE as a string of curl's configuration. Done by the shell itself: a program
# that did it would have the token among its arguments.
quoted() {
  quoted=
  quoted_rest=$1
  while [ -n "$quoted_rest" ]; do
    quoted_tail=${quoted_rest#?}
    quoted_char=${quoted_rest%"$quoted_tail"}
    case $quoted_char in
      '"' | "\\") quoted="$quoted\\$quoted_char" ;;
      *) quoted=$quoted$quoted_char ;;
    esac
    quoted_rest=$quoted_tail
  done
  quoted="\"$quoted\""
}

# add_header NAME VALUE: every try sends the headers that are gathered once, before the first of them.
headers=
add_header() {
  quoted "$1: $2"
  headers="${headers}header = $quoted$newline"
}

# Sends one POST to $url. curl reads everything from its standard input, because its arguments can be seen
# by any user of the host. -q: a .curlrc of the lab does not meddle. The content type is taken out, since
# there is no content.
send() {
  quoted "$url"
  curl -q --config - << END
url = $quoted
data = ""
header = "Content-Type:"
header = "Accept: application/json"
$headers
silent
show-error
include
globoff
suppress-connect-headers
connect-timeout = $connect_limit
max-time = $try_limit
write-out = "\n%{http_code} %{time_total}"
END
  printf '\n%s\n' "$?"
}

# Turns what send wrote into lines NAME=VALUE: status, seconds and curl_exit of the try, retry_after and
# request_id of the headers, and the fields of the JSON body that the scripts use. A body that is cut short
# or is no JSON at all gives no fields. Control characters become spaces, so that a value is one line.
read_answer() {
  awk '
    function broken() { exit }
    function skip_space() {
      while (at <= size && index(" \t\n", substr(text, at, 1))) at++
    }
    function expect(char) {
      skip_space()
      if (substr(text, at, 1) != char) broken()
      at++
    }
    function peek() {
      skip_space()
      return substr(text, at, 1)
    }
    function unicode(  code, digit, i) {
      if (at + 3 > size) broken()
      code = 0
      for (i = 0; i < 4; i++) {
        digit = index("0123456789abcdef", tolower(substr(text, at++, 1))) - 1
        if (digit < 0) broken()
        code = code * 16 + digit
      }
      # The values of the broker are ASCII; anything else only ever appears in a message.
      if (code < 32) return " "
      return code < 127 ? sprintf("%c", code) : "?"
    }
    function string(  result, char) {
      expect("\"")
      result = ""
      while (at <= size) {
        char = substr(text, at++, 1)
        if (char == "\"") return result
        if (char == "\\") {
          if (at > size) broken()
          char = substr(text, at++, 1)
          if (char == "u") char = unicode()
          else if (index("bfnrt", char)) char = " "
          else if (!index("\"\\/", char)) broken()
        } else if (char < " " || char == "\177") char = " "
        result = result char
      }
      broken()
    }
    function object(path,  name) {
      expect("{")
      if (peek() == "}") { at++; return }
      for (;;) {
        skip_space()
        name = string()
        expect(":")
        value(path == "" ? name : path "." name)
        if (peek() == "}") { at++; return }
        expect(",")
      }
    }
    function array(path) {
      expect("[")
      if (peek() == "]") { at++; return }
      for (;;) {
        value(path "[]")
        if (peek() == "]") { at++; return }
        expect(",")
      }
    }
    function value(path,  char, word) {
      char = peek()
      if (char == "{") object(path)
      else if (char == "[") array(path)
      else if (char == "\"") field[path] = string()
      else if (match(substr(text, at, 40), /^(true|false|null|-?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?)/)) {
        word = substr(text, at, RLENGTH)
        at += RLENGTH
        if (word != "null") field[path] = word
      } else broken()
    }
    function header(name, content) {
      if (name == "retry-after" && content ~ /^[0-9]+$/) retry_after = content
      if (name == "x-request-id" && content ~ /^[A-Za-z0-9._-]+$/) request_id = content
    }
    # The shell would read a leading zero as octal, and a long number not at all.
    function seconds_of(digits) {
      sub(/^0+/, "", digits)
      if (length(digits) > 5) return 99999
      return digits == "" ? 0 : digits
    }
    { sub(/\r$/, ""); line[NR] = $0 }
    END {
      print "curl_exit=" line[NR]
      if (split(line[NR - 1], timing, " ") == 2) {
        print "status=" timing[1]
        print "seconds=" int(timing[2])
      }
      last = NR - 2
      at_line = 1
      while (at_line <= last && line[at_line] ~ /^HTTP\//) {
        # An interim answer (103, say) may come before the one that counts.
        retry_after = request_id = ""
        interim = line[at_line] ~ /^HTTP\/[0-9.]+ 1/
        for (at_line++; at_line <= last && line[at_line] != ""; at_line++) {
          colon = index(line[at_line], ":")
          content = substr(line[at_line], colon + 1)
          gsub(/^[ \t]+|[ \t]+$/, "", content)
          header(tolower(substr(line[at_line], 1, colon - 1)), content)
        }
        at_line++
        if (!interim) break
      }
      if (retry_after != "") print "retry_after=" seconds_of(retry_after)
      if (request_id != "") print "request_id=" request_id

      # No answer of the broker is near 64 KB: what is longer is the page of something else.
      for (; at_line <= last && length(text) < 65536; at_line++)
        text = substr(text line[at_line] "\n", 1, 65536)
      size = length(text)
      at = 1
      value("")
      skip_space()
      if (at <= size) broken()
      if (retry_after == "" && field["error.retry_after"] ~ /^[0-9]+$/)
        print "retry_after=" seconds_of(field["error.retry_after"])
      count = split("sandbox_id name external_id allocated_at expires_at sfdc_account_id status " \
        "error.code error.message error.request_id", names, " ")
      for (i = 1; i <= count; i++) if (names[i] in field) print "body." names[i] "=" field[names[i]]
    }
  '
}

# answer_field NAME: prints the field of the last answer, or nothing.
answer_field() {
  while IFS= read -r answer_line; do
    case $answer_line in
      "$1="*)
        printf '%s' "${answer_line#*=}"
        return
        ;;
    esac
  done << END
$answer
END
}

# One try. Sets $status ("" when no whole answer came), $retry_after, $code and $outcome, which says in words
# what happened.
try_once() {
  tries=$((tries + 1))
  try_limit=$((budget - elapsed))
  [ "$try_limit" -le "$try_seconds" ] || try_limit=$try_seconds
  connect_limit=$connect_seconds
  [ "$connect_limit" -le "$try_limit" ] || connect_limit=$try_limit

  answer=$(send | read_answer)
  status=$(answer_field status)
  retry_after=$(answer_field retry_after)
  code=$(answer_field body.error.code)
  curl_exit=$(answer_field curl_exit)

  # The budget counts the time that curl measured and the waits, not the clock of the host, which may jump
  # while a fresh machine sets it. A try counts as a second more than its whole seconds.
  try_took=$(answer_field seconds)
  elapsed=$((elapsed + ${try_took:-0} + 1))

  case $curl_exit in
    0)
      outcome="HTTP $status"
      if [ -n "$code" ]; then outcome="$outcome $code: $(answer_field body.error.message)"; fi
      answer_request_id=$(answer_field body.error.request_id)
      : "${answer_request_id:=$(answer_field request_id)}"
      outcome="$outcome (request id ${answer_request_id:-$run_request_id})"
      ;;
    1 | 2 | 3 | 4 | 60 | 77 | 126 | 127)
      # The address, the certificates or curl itself: another try would change nothing.
      fail 2 "curl cannot call $url (curl's exit code $curl_exit, its message above)"
      ;;
    *)
      # An answer that was cut short is no answer, whatever its status says.
      status=
      outcome="no answer from $url (curl's exit code $curl_exit, request id $run_request_id)"
      ;;
  esac
}

# random_up_to N: prints a whole number from 0 to N.
random_up_to() {
  random=$(od -An -N2 -tu2 /dev/urandom | tr -d ' \n')
  printf '%s' "$((${random:-$$} % ($1 + 1)))"
}

# pause LEFT: waits before the next try. What the broker asked for is the least, and the rest is chance, so
# that a class which failed together does not come back together. Returns 1, without waiting, when the wait
# and another try do not fit into LEFT seconds.
pause() {
  least=${retry_after:-1}
  room=$(($1 - least - 1))
  [ "$room" -ge 0 ] || return 1
  spread=30
  [ "$tries" -ge 5 ] || spread=$((1 << tries))
  [ "$((least / 2))" -le "$spread" ] || spread=$((least / 2))
  [ "$spread" -le "$room" ] || spread=$room
  wait_seconds=$((least + $(random_up_to "$spread")))
  say "try $tries: $outcome; next try in $wait_seconds s"
  sleep "$wait_seconds"
  elapsed=$((elapsed + wait_seconds))
}

# ---- end of the shared part ----

# shell_quoted VALUE: prints VALUE so that a shell reads it back unchanged.
shell_quoted() {
  printf '%s\n' "$1" | sed "s/'/'\\\\''/g; 1s/^/'/; \$s/\$/'/"
}

# export_line NAME VALUE
export_line() {
  printf 'export %s=%s\n' "$1" "$(shell_quoted "$2")"
}

# What the lab is told of its sandbox: read from the answer, printed as lines that a shell can read.
describe_sandbox() {
  export_line SANDBOX_ID "$sandbox_id"
  export_line SANDBOX_NAME "$sandbox_name"
  export_line SANDBOX_EXTERNAL_ID "$external_id"
  export_line SANDBOX_EXPIRES_AT "$expires_at"
  if [ -n "$sfdc_account_id" ]; then export_line SFDC_ACCOUNT_ID "$sfdc_account_id"; fi
}

# True when the answer tells everything that the contract promises.
answer_is_whole() {
  sandbox_id=$(answer_field body.sandbox_id)
  sandbox_name=$(answer_field body.name)
  external_id=$(answer_field body.external_id)
  expires_at=$(answer_field body.expires_at)
  sfdc_account_id=$(answer_field body.sfdc_account_id)
  [ -n "$sandbox_id" ] && [ -n "$sandbox_name" ] && [ -n "$external_id" ] || return 1
  case $expires_at in
    '' | *[!0-9]*) return 1 ;;
  esac
}

# The file appears whole or not at all, readable by this user alone. Noclobber makes the shell create the
# draft itself: it never writes through a link that somebody left there.
store_sandbox() {
  draft=$env_file.$$
  rm -f -- "$draft"
  (
    umask 077
    set -C
    describe_sandbox > "$draft"
  ) && mv -f -- "$draft" "$env_file" || return 1
  command -v agent > /dev/null || return 0
  # Runtime variables of Instruqt, for the texts of the challenges and for other scripts.
  agent variable set SANDBOX_ID "$sandbox_id" >&2 &&
    agent variable set SANDBOX_NAME "$sandbox_name" >&2 &&
    agent variable set SANDBOX_EXTERNAL_ID "$external_id" >&2 &&
    agent variable set SANDBOX_EXPIRES_AT "$expires_at" >&2 || return 1
  [ -z "$sfdc_account_id" ] || agent variable set SFDC_ACCOUNT_ID "$sfdc_account_id" >&2
}

read_connection

track_slug=${INSTRUQT_TRACK_SLUG:-}
name_prefix=${SANDBOX_NAME_PREFIX:-}
idempotency_key=${IDEMPOTENCY_KEY:-}
[ -z "$track_slug" ] || require_id INSTRUQT_TRACK_SLUG "$track_slug"
[ -z "$name_prefix" ] || require_id SANDBOX_NAME_PREFIX "$name_prefix"
[ -z "$idempotency_key" ] || require_id IDEMPOTENCY_KEY "$idempotency_key"

empty_pool_seconds=${BROKER_EMPTY_POOL_SECONDS:-90}
require_seconds BROKER_EMPTY_POOL_SECONDS "$empty_pool_seconds" 0

# Looked at before the call: a sandbox is not taken for a lab that cannot keep what it got.
env_file=${SANDBOX_ENV_FILE:-${HOME:-/root}/sandbox.env}
case $env_file in
  */*) env_directory=${env_file%/*}/ ;;
  *) env_directory=. ;;
esac
if [ ! -d "$env_directory" ] || [ ! -w "$env_directory" ] || [ -d "$env_file" ]; then
  fail 6 "cannot write $env_file: choose another place with SANDBOX_ENV_FILE"
fi

url=$broker_url/allocate
add_header Authorization "Bearer $token"
add_header X-Instruqt-Sandbox-ID "$participant"
add_header X-Request-ID "$run_request_id"
[ -z "$track_slug" ] || add_header X-Instruqt-Track-ID "$track_slug"
[ -z "$name_prefix" ] || add_header X-Sandbox-Name-Prefix "$name_prefix"
[ -z "$idempotency_key" ] || add_header Idempotency-Key "$idempotency_key"

empty_since=
while :; do
  try_once
  left=$((budget - elapsed))
  case $status in
    200 | 201)
      if answer_is_whole; then break; fi
      # Another try gets the same sandbox: the claim is the participant's.
      outcome="an answer that is cut short or is not the broker's: $outcome"
      ;;
    409)
      : "${empty_since:=$elapsed}"
      empty_left=$((empty_since + empty_pool_seconds - elapsed))
      [ "$left" -le "$empty_left" ] || left=$empty_left
      pause "$left" || fail 3 "the pool is empty${name_prefix:+ of sandboxes whose name begins with $name_prefix}:" \
        "no sandbox is free for this play, after $tries tries. Last: $outcome"
      continue
      ;;
    '' | 408 | 425 | 429 | 5??) ;;
    *) fail 4 "the broker refused: $outcome. Check BROKER_URL, BROKER_API_TOKEN and the ids of this lab" ;;
  esac
  pause "$left" || fail 5 "gave up after $tries tries and about $elapsed s. Last: $outcome"
done

store_sandbox || fail 6 "sandbox $sandbox_name is allocated, but what the lab needs of it could not be stored" \
  '(message above). Running this script again gets the same sandbox'

if [ "$status" = 200 ]; then
  say "this play has its sandbox already: $sandbox_name ($sandbox_id)"
else
  say "allocated sandbox $sandbox_name ($sandbox_id)"
fi
describe_sandbox
