resource "aws_cloudwatch_log_group" "broker" {
  name              = "/${var.name}/broker"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn

  tags = var.tags
}

locals {
  # The broker writes one JSON object a line. test/terraform/log-words.test.ts holds each filter against the lines of a
  # broker in the situation that it is for.
  metric_filters = {
    ErrorsLogged      = { pattern = "{ ($.level = \"error\") || ($.level = \"fatal\") }" }
    Allocations       = { pattern = "{ $.action = \"allocate\" }", dimensions = { Outcome = "$.outcome" } }
    PoolEmpty         = { pattern = "{ ($.action = \"allocate\") && ($.outcome = \"no_sandboxes_available\") }", default_value = 0 }
    JobsFailed        = { pattern = "{ ($.action = \"job_*\") && ($.outcome = \"error\") }", default_value = 0 }
    SyncsCompleted    = { pattern = "{ ($.action = \"job_sync\") && ($.outcome = \"success\") }", default_value = 0 }
    CleanupsCompleted = { pattern = "{ ($.action = \"job_cleanup\") && ($.outcome = \"success\") }", default_value = 0 }
    ExpiriesCompleted = { pattern = "{ ($.action = \"job_expiry\") && ($.outcome = \"success\") }", default_value = 0 }
    SyncsBraked       = { pattern = "{ ($.action = \"job_sync\") && ($.outcome = \"braked\") }", default_value = 0 }
    CleanupsCapped    = { pattern = "{ ($.action = \"job_cleanup\") && ($.outcome = \"deletion_cap\") }", default_value = 0 }
    CspUnauthorized   = { pattern = "{ ($.action = \"job_cleanup\") && ($.outcome = \"unauthorized\") }", default_value = 0 }
    DeletionsFailed   = { pattern = "{ ($.action = \"job_cleanup\") && ($.result.gave_up > 0) }", value = "$.result.gave_up", default_value = 0 }
  }

  # The counts of the pool, as the job that counts logs them: wherever it runs, in the service or as a task of its own.
  pool_counts = {
    PoolAvailable       = "$.result.available"
    PoolAllocated       = "$.result.allocated"
    PoolPendingDeletion = "$.result.pending_deletion"
    PoolStale           = "$.result.stale"
    PoolDeletionFailed  = "$.result.deletion_failed"
    PoolQuarantined     = "$.result.quarantined"
  }
  pool_filters = { for name, count in local.pool_counts : name => {
    pattern = "{ ($.action = \"job_statistics\") && (${count} >= 0) }", value = count
  } }

  # Custom metrics are charged: they are made where an alarm or the dashboard looks at them.
  measured = var.alarms || var.dashboard

  queries = {
    "One request"                   = "fields @timestamp, level, action, outcome, track_id, sandbox_id, latency_ms, msg | filter request_id = 'REQUEST-ID' | sort @timestamp"
    "One sandbox"                   = "fields @timestamp, action, outcome, track_id, actor, request_id, msg | filter sandbox_id = 'SANDBOX-ID' | sort @timestamp"
    "One caller"                    = "fields @timestamp, action, outcome, sandbox_id, request_id, latency_ms, msg | filter track_id = 'TRACK-ID' | sort @timestamp"
    "Errors"                        = "fields @timestamp, level, action, outcome, request_id, sandbox_id, cause, msg | filter level in ['error', 'fatal'] or status >= 500 | sort @timestamp desc | limit 200"
    "Allocations by outcome"        = "filter action = 'allocate' | stats count(*) as requests by bin(1m), outcome | sort bin(1m) desc"
    "Allocation latency"            = "filter action = 'allocate' | stats count(*) as requests, pct(latency_ms, 50) as p50, pct(latency_ms, 99) as p99, max(latency_ms) as slowest by bin(1m) | sort bin(1m) desc"
    "Slowest requests"              = "fields @timestamp, action, outcome, latency_ms, request_id, track_id | filter ispresent(status) | sort latency_ms desc | limit 100"
    "Callers with several requests" = "filter action = 'allocate' | stats count(*) as requests, count_distinct(sandbox_id) as sandboxes by track_id | filter requests > 1 | sort requests desc | limit 100"
    "Runs of the jobs"              = "fields @timestamp, action, outcome, latency_ms, result.error, request_id, msg | filter action like /^job_/ | sort @timestamp desc | limit 200"
    "Failed deletions"              = "fields @timestamp, outcome, result.failed, result.gave_up, request_id | filter action = 'job_cleanup' and (outcome != 'success' or result.failed > 0) | sort @timestamp desc | limit 200"
  }
}

resource "aws_cloudwatch_log_metric_filter" "this" {
  for_each = { for name, filter in merge(local.metric_filters, local.pool_filters) : name => filter if local.measured }

  name           = "${var.name}-${each.key}"
  log_group_name = aws_cloudwatch_log_group.broker.name
  pattern        = each.value.pattern

  metric_transformation {
    namespace     = var.name
    name          = each.key
    value         = try(each.value.value, "1")
    unit          = "Count"
    default_value = try(each.value.default_value, null)
    dimensions    = try(each.value.dimensions, null)
  }
}

resource "aws_cloudwatch_query_definition" "this" {
  for_each = var.saved_queries ? local.queries : {}

  name            = "${var.name}/${each.key}"
  log_group_names = [aws_cloudwatch_log_group.broker.name]
  query_string    = replace(each.value, " | ", "\n| ")
}
