# Logs, alarms, dashboard.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  name                        = "broker"
  log_retention_days          = 30
  kms_key_arn                 = null
  saved_queries               = true
  alarms                      = true
  alarm_topic_arn             = null
  alarm_email_addresses       = ["operators@labs.example"]
  dashboard                   = true
  load_balancer_arn_suffix    = "app/broker/0a1b"
  target_group_arn_suffix     = "targetgroup/broker/0a1b"
  cluster_name                = "broker"
  service_name                = "broker"
  serves                      = true
  table_name                  = "SandboxPool"
  index_names                 = ["StatusIndex", "TrackIndex", "IdempotencyIndex"]
  web_acl_name                = null
  failed_schedules_queue_name = null
  tags                        = {}
  alarm_thresholds = {
    failed_requests_in_five_minutes = 5
    slow_request_seconds            = 2
    cpu_percent                     = 85
    memory_percent                  = 85
    errors_logged_in_five_minutes   = 5
    hours_without_sync              = 1
    hours_without_cleanup           = 2
    hours_without_expiry            = 1
    available_percent               = 10
    waiting_deletions               = 100
  }
}

run "logs_are_not_kept_for_ever" {
  command = plan

  module {
    source = "./modules/observability"
  }

  assert {
    condition     = aws_cloudwatch_log_group.broker.retention_in_days == 30
    error_message = "Logs are kept for another time."
  }
}

run "silence_is_alarming_only_where_something_must_go_on" {
  command = plan

  module {
    source = "./modules/observability"
  }

  assert {
    condition     = alltrue([for alarm in aws_cloudwatch_metric_alarm.quiet : alarm.treat_missing_data == "notBreaching"]) && alltrue([for alarm in aws_cloudwatch_metric_alarm.silent : alarm.treat_missing_data == "breaching"])
    error_message = "A quiet night would wake somebody, or a dead service would not."
  }

  assert {
    condition     = toset(keys(aws_cloudwatch_metric_alarm.silent)) == toset(["no-healthy-task", "sync-missing", "cleanup-missing", "expiry-missing", "statistics-missing"])
    error_message = "Nobody hears of missing tasks or of a job that stopped."
  }
}

run "every_alarm_says_what_to_do" {
  command = plan

  module {
    source = "./modules/observability"
  }

  assert {
    condition     = alltrue([for alarm in concat(values(aws_cloudwatch_metric_alarm.quiet), values(aws_cloudwatch_metric_alarm.silent), aws_cloudwatch_metric_alarm.throttled, aws_cloudwatch_metric_alarm.pool_low) : length(alarm.alarm_description) > 20])
    error_message = "An alarm does not say what to do."
  }
}

run "a_job_that_runs_once_an_hour_and_fails_is_noticed" {
  command = plan

  module {
    source = "./modules/observability"
  }

  # Once is no alarm, as the next run may be well; twice is, within the time of two runs.
  assert {
    condition     = aws_cloudwatch_metric_alarm.quiet["job-failed"].datapoints_to_alarm == 2 && aws_cloudwatch_metric_alarm.quiet["job-failed"].evaluation_periods * aws_cloudwatch_metric_alarm.quiet["job-failed"].period >= 7200
    error_message = "Two failures an hour apart set no alarm off."
  }

  assert {
    condition     = alltrue([for name, alarm in aws_cloudwatch_metric_alarm.quiet : alarm.datapoints_to_alarm == null if name != "job-failed"])
    error_message = "An alarm needs fewer data points than its evaluation periods."
  }
}

run "throttling_of_the_table_and_of_every_index_is_seen" {
  command = plan

  module {
    source = "./modules/observability"
  }

  assert {
    condition = toset(flatten([for query in aws_cloudwatch_metric_alarm.throttled[0].metric_query : [
      for metric in query.metric : "${metric.metric_name} ${lookup(metric.dimensions, "GlobalSecondaryIndexName", "table")}"
      ]])) == toset(flatten([for place in ["table", "StatusIndex", "TrackIndex", "IdempotencyIndex"] : ["ReadThrottleEvents ${place}", "WriteThrottleEvents ${place}"]
    ]))
    error_message = "Something can be throttled unseen."
  }
}

run "every_metric_that_an_alarm_watches_is_made_from_the_logs" {
  command = plan

  module {
    source = "./modules/observability"
  }

  assert {
    condition = length(setsubtract(
      [for alarm in concat(values(aws_cloudwatch_metric_alarm.quiet), values(aws_cloudwatch_metric_alarm.silent)) : alarm.metric_name if alarm.namespace == "broker"],
      [for filter in aws_cloudwatch_log_metric_filter.this : filter.metric_transformation[0].name]
    )) == 0
    error_message = "An alarm watches a metric that nothing makes."
  }
}

run "every_metric_that_is_made_from_the_logs_is_looked_at" {
  command = plan

  module {
    source = "./modules/observability"
  }

  assert {
    condition = length(setsubtract(
      [for name, filter in aws_cloudwatch_log_metric_filter.this : name if !strcontains(aws_cloudwatch_dashboard.this[0].dashboard_body, "\"${name}")],
      [for alarm in concat(values(aws_cloudwatch_metric_alarm.quiet), values(aws_cloudwatch_metric_alarm.silent)) : alarm.metric_name]
    )) == 0
    error_message = "A metric is charged that is in no alarm and in no chart."
  }
}

run "what_is_charged_is_what_the_documentation_counts" {
  command = plan

  module {
    source = "./modules/observability"
  }

  assert {
    condition     = length(output.alarm_names) == 20 && length(aws_cloudwatch_log_metric_filter.this) == 17
    error_message = "docs/deployment.md, \"What stands all month\", has other counts of alarms or of metrics from logs."
  }

  assert {
    condition     = length(aws_cloudwatch_metric_alarm.quiet) + length(aws_cloudwatch_metric_alarm.silent) + length([for query in concat(aws_cloudwatch_metric_alarm.throttled[0].metric_query[*], aws_cloudwatch_metric_alarm.pool_low[0].metric_query[*]) : query if length(query.metric) > 0]) == 32
    error_message = "docs/deployment.md, \"What stands all month\", has another count of the metrics that alarms watch."
  }
}

run "a_pool_that_runs_low_is_noticed_before_it_is_empty" {
  command = plan

  module {
    source = "./modules/observability"
  }

  assert {
    condition = toset(flatten([for query in aws_cloudwatch_metric_alarm.pool_low[0].metric_query : [for metric in query.metric : metric.metric_name]])) == toset([
      "PoolAvailable", "PoolAllocated", "PoolPendingDeletion", "PoolStale", "PoolDeletionFailed", "PoolQuarantined"
    ])
    error_message = "The share is not one of the whole pool."
  }

  assert {
    condition     = toset(flatten([for query in aws_cloudwatch_metric_alarm.pool_low[0].metric_query : [for metric in query.metric : metric.metric_name]])) == toset([for name, filter in aws_cloudwatch_log_metric_filter.this : name if strcontains(filter.pattern, "job_statistics")])
    error_message = "The alarm watches counts that nothing makes."
  }

  assert {
    condition     = contains(one([for query in aws_cloudwatch_metric_alarm.pool_low[0].metric_query : split(" ", query.expression) if query.return_data]), one([for query in aws_cloudwatch_metric_alarm.pool_low[0].metric_query : query.id if try(query.metric[0].metric_name, null) == "PoolAvailable"]))
    error_message = "The share is not that of the available ones."
  }
}

run "the_dashboard_shows_the_pool" {
  command = plan

  module {
    source = "./modules/observability"
  }

  assert {
    condition     = contains(flatten([for widget in jsondecode(aws_cloudwatch_dashboard.this[0].dashboard_body).widgets : widget.properties.metrics]), "PoolAvailable")
    error_message = "The dashboard does not say how many sandboxes there are."
  }
}

run "the_dashboard_searches_for_the_whole_name" {
  command = plan

  module {
    source = "./modules/observability"
  }

  variables {
    name = "sandbox-broker"
  }

  assert {
    condition     = one([for metric in flatten([for widget in jsondecode(aws_cloudwatch_dashboard.this[0].dashboard_body).widgets : widget.properties.metrics]) : metric.expression if can(metric.expression)]) == "SEARCH('{\"sandbox-broker\",Outcome} MetricName=\"Allocations\"', 'Sum', 60)"
    error_message = "CloudWatch would read the name of the namespace as two words, and show no allocations."
  }
}

run "a_service_that_stands_still_is_not_missed" {
  command = plan

  module {
    source = "./modules/observability"
  }

  variables {
    serves = false
  }

  assert {
    condition     = length(aws_cloudwatch_metric_alarm.silent) == 0
    error_message = "A region that waits for a recovery wakes somebody."
  }
}

run "jobs_that_could_not_be_started_are_noticed" {
  command = plan

  module {
    source = "./modules/observability"
  }

  variables {
    failed_schedules_queue_name = "broker-failed-schedules"
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.quiet["job-not-started"].dimensions.QueueName == "broker-failed-schedules"
    error_message = "A job that could not be started goes unnoticed."
  }
}

run "without_alarms_and_dashboard_no_metric_is_paid_for" {
  command = plan

  module {
    source = "./modules/observability"
  }

  variables {
    alarms    = false
    dashboard = false
  }

  assert {
    condition     = length(aws_cloudwatch_log_metric_filter.this) == 0 && length(aws_sns_topic.alarms) == 0 && length(aws_cloudwatch_metric_alarm.quiet) + length(aws_cloudwatch_metric_alarm.silent) + length(aws_cloudwatch_metric_alarm.throttled) + length(aws_cloudwatch_metric_alarm.pool_low) == 0 && length(aws_cloudwatch_dashboard.this) == 0
    error_message = "Something that is charged is made although nobody asked for it."
  }

  assert {
    condition     = length(output.rollback_alarm_names) == 0
    error_message = "Deployments wait for an alarm that does not exist."
  }
}

run "a_topic_that_exists" {
  command = plan

  module {
    source = "./modules/observability"
  }

  variables {
    alarm_topic_arn       = "arn:aws:sns:eu-central-1:123456789012:on-call"
    alarm_email_addresses = []
  }

  assert {
    condition     = length(aws_sns_topic.alarms) == 0 && alltrue([for alarm in aws_cloudwatch_metric_alarm.quiet : alarm.alarm_actions == toset([var.alarm_topic_arn])])
    error_message = "Alarms do not go to the topic that exists."
  }
}

run "queries_are_saved_for_the_log_group" {
  command = plan

  module {
    source = "./modules/observability"
  }

  assert {
    condition     = length(aws_cloudwatch_query_definition.this) >= 8 && alltrue([for query in aws_cloudwatch_query_definition.this : query.log_group_names == tolist(["/broker/broker"])])
    error_message = "Queries are missing, or ask another log group."
  }
}

run "a_dashboard_without_overlaps" {
  command = plan

  module {
    source = "./modules/observability"
  }

  variables {
    web_acl_name = "broker"
  }

  assert {
    condition     = length(distinct([for widget in jsondecode(aws_cloudwatch_dashboard.this[0].dashboard_body).widgets : "${widget.x} ${widget.y}"])) == length(jsondecode(aws_cloudwatch_dashboard.this[0].dashboard_body).widgets)
    error_message = "Two charts lie on each other."
  }

  assert {
    condition     = contains([for widget in jsondecode(aws_cloudwatch_dashboard.this[0].dashboard_body).widgets : widget.properties.title], "Blocked by the firewall")
    error_message = "What the firewall blocks is not shown."
  }
}

run "a_retention_that_cloudwatch_does_not_know_is_refused" {
  command = plan

  module {
    source = "./modules/observability"
  }

  variables {
    log_retention_days = 31
  }

  expect_failures = [var.log_retention_days]
}
