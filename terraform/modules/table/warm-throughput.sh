#!/bin/sh
# Raises the warm throughput of a DynamoDB table and its indexes, one after the other, as DynamoDB takes only one
# change at a time. What is warm enough already is left alone: a raise is charged and cannot be taken back.
# Environment: REGION, TABLE_NAME, INDEX_NAMES (separated by spaces), READ_UNITS and WRITE_UNITS (a second), and
# whatever gives the AWS CLI its credentials.
set -eu

if ! command -v aws >/dev/null 2>&1; then
  echo 'warm throughput: the AWS CLI ("aws") is not on the path; install it or set warm_throughput to null' >&2
  exit 1
fi

# Prints what $1 asks for of the description of the table, separated by spaces.
describe() {
  aws dynamodb describe-table --region "$REGION" --table-name "$TABLE_NAME" --output text --query "$1" | tr '\t' ' '
}

# Prints the whole number $1, or 0 for anything else: the CLI prints "None" for what is not there.
number() {
  case $1 in
    '' | *[!0-9]*) echo 0 ;;
    *) echo "$1" ;;
  esac
}

larger() {
  if [ "$1" -ge "$2" ]; then echo "$1"; else echo "$2"; fi
}

# $1: what is raised, for people; $2: where it stands in the description of the table; the rest: the change, which
# gets the units as its last parameter.
raise() {
  what=$1
  where=$2
  shift 2
  units=$(describe "$where.WarmThroughput.[ReadUnitsPerSecond, WriteUnitsPerSecond]")
  reads=$(number "${units% *}")
  writes=$(number "${units#* }")
  if [ "$reads" -ge "$READ_UNITS" ] && [ "$writes" -ge "$WRITE_UNITS" ]; then
    echo "warm throughput: $what has $reads reads and $writes writes a second already"
    return
  fi
  # Neither of the two can be lowered.
  units="ReadUnitsPerSecond=$(larger "$reads" "$READ_UNITS"),WriteUnitsPerSecond=$(larger "$writes" "$WRITE_UNITS")"
  echo "warm throughput: raising $what to $units"
  "$@" "$units"
  wait_until_active "$where"
}

raise_table() {
  aws dynamodb update-table --region "$REGION" --table-name "$TABLE_NAME" --output text \
    --query TableDescription.TableStatus --warm-throughput "$1"
}

raise_index() {
  aws dynamodb update-table --region "$REGION" --table-name "$TABLE_NAME" --output text \
    --query TableDescription.TableStatus \
    --global-secondary-index-updates "Update={IndexName=$1,WarmThroughput={$2}}"
}

# At most an hour, after which the next apply goes on.
wait_until_active() {
  attempts=0
  while :; do
    case $(describe "[Table.TableStatus, $1.WarmThroughput.Status]") in
      'ACTIVE UPDATING') ;;
      'ACTIVE '*) return ;;
    esac
    attempts=$((attempts + 1))
    if [ "$attempts" -ge 360 ]; then
      echo "warm throughput: $TABLE_NAME is still changing after an hour; apply again later" >&2
      exit 1
    fi
    sleep 10
  done
}

raise "table $TABLE_NAME" Table raise_table
for index in $INDEX_NAMES; do
  raise "index $index" "Table.GlobalSecondaryIndexes[?IndexName=='$index']|[0]" raise_index "$index"
done
