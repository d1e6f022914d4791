#!/bin/sh
# Gives back to the Sandbox Broker the sandbox that setup-sandbox.sh took for this play of a lab. Needs a POSIX
# shell and curl. README.md tells how to use it and lists the variables and exit codes.
#
# A trace would print the token, so there is none, not even under `sh -x`.
{ set +x; } 2> /dev/null
set -u
LC_ALL=C
export LC_ALL
program=cleanup-sandbox

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

# Prints the sandbox id that setup-sandbox.sh stored. The file is read, never run: the learner may have written
# to it, and this script holds the token.
stored_sandbox_id() {
  sed -n "s/^export SANDBOX_ID='\(.*\)'\$/\1/p" < "$env_file" | sed "s/'\\\\''/'/g; 1q"
}

# path_segment VALUE: prints VALUE for use in an address. A sandbox id may hold a slash.
path_segment() {
  segment_rest=$1
  while [ -n "$segment_rest" ]; do
    segment_tail=${segment_rest#?}
    segment_char=${segment_rest%"$segment_tail"}
    case $segment_char in
      [A-Za-z0-9._~-]) printf '%s' "$segment_char" ;;
      *) printf '%%%02X' "'$segment_char" ;;
    esac
    segment_rest=$segment_tail
  done
}

# The file comes first: it is what the set-up wrote. The others help a lab that runs its clean-up elsewhere.
env_file=${SANDBOX_ENV_FILE:-${HOME:-/root}/sandbox.env}
sandbox_id=
if [ -e "$env_file" ]; then
  if [ ! -f "$env_file" ] || [ ! -r "$env_file" ]; then fail 6 "cannot read $env_file"; fi
  sandbox_id=$(stored_sandbox_id)
fi
: "${sandbox_id:=${SANDBOX_ID:-}}"
if [ -z "$sandbox_id" ] && command -v agent > /dev/null; then
  # Not knowing the variable is no failure: a set-up that got no sandbox never stored it.
  sandbox_id=$(agent variable get SANDBOX_ID 2> /dev/null) || sandbox_id=
fi
if [ -z "$sandbox_id" ]; then
  say "nothing to clean up: no sandbox id in $env_file, SANDBOX_ID or the runtime variables"
  exit 0
fi

read_connection

url=$broker_url/sandboxes/$(path_segment "$sandbox_id")/mark-for-deletion
add_header Authorization "Bearer $token"
add_header X-Instruqt-Sandbox-ID "$participant"
add_header X-Request-ID "$run_request_id"

while :; do
  try_once
  case $status in
    200)
      if [ "$(answer_field body.status)" = pending_deletion ]; then
        say "sandbox $sandbox_id is given back and will be deleted"
        break
      fi
      # Releasing twice is safe: the broker gives the same answer again.
      outcome="an answer that is cut short or is not the broker's: $outcome"
      ;;
    404)
      # A wrong address is a 404 too, and must not pass for success.
      [ "$code" = SANDBOX_NOT_FOUND ] || fail 4 "not the broker's answer, is BROKER_URL right? $outcome"
      say "nothing left to clean up: the broker knows no sandbox $sandbox_id any more"
      break
      ;;
    '' | 408 | 425 | 429 | 5??) ;;
    *)
      [ "$code" != NOT_SANDBOX_OWNER ] ||
        fail 4 "sandbox $sandbox_id does not belong to this play, nothing was given back: $outcome"
      fail 4 "the broker refused: $outcome. Check BROKER_URL, BROKER_API_TOKEN and the ids of this lab"
      ;;
  esac
  pause "$((budget - elapsed))" || fail 5 "gave up after $tries tries and about $elapsed s; the broker takes the" \
    "sandbox back when its time is over. Last: $outcome"
done

# What the file tells is true no longer, and a second clean-up shall find nothing to do. It is no failure when
# the file stays: the broker would give the same answer again.
rm -f -- "$env_file" || say "could not remove $env_file"
exit 0
