data "aws_caller_identity" "current" {}

locals {
  make_topic = var.alarms && var.alarm_topic_arn == null
  topic_arn  = local.make_topic ? aws_sns_topic.alarms[0].arn : var.alarm_topic_arn

  load_balancer = { LoadBalancer = var.load_balancer_arn_suffix }
  target_group  = { LoadBalancer = var.load_balancer_arn_suffix, TargetGroup = var.target_group_arn_suffix }
  service       = { ClusterName = var.cluster_name, ServiceName = var.service_name }

  # Each says what to do. No data means that nothing happened, but for what must go on all the time.
  service_alarms = {
    "requests-fail" = {
      description = "The broker answers 5xx: see the saved query Errors."
      namespace   = "AWS/ApplicationELB", metric = "HTTPCode_Target_5XX_Count", dimensions = local.target_group
      statistic   = "Sum", period = 300, evaluations = 1, comparison = "GreaterThanOrEqualToThreshold"
      threshold   = var.alarm_thresholds.failed_requests_in_five_minutes
    }
    "load-balancer-fails" = {
      description = "The load balancer answers 5xx itself: tasks are missing, or close connections."
      namespace   = "AWS/ApplicationELB", metric = "HTTPCode_ELB_5XX_Count", dimensions = local.load_balancer
      statistic   = "Sum", period = 300, evaluations = 1, comparison = "GreaterThanOrEqualToThreshold"
      threshold   = var.alarm_thresholds.failed_requests_in_five_minutes
    }
    "requests-slow" = {
      description = "One request in a hundred takes too long: see the saved query Allocation latency, and throttling of the table."
      namespace   = "AWS/ApplicationELB", metric = "TargetResponseTime", dimensions = local.target_group
      statistic   = "p99", period = 60, evaluations = 5, comparison = "GreaterThanThreshold"
      threshold   = var.alarm_thresholds.slow_request_seconds
    }
    "cpu-high" = {
      description = "The tasks are busy although scaling had its time: raise maximum_tasks or the size of a task."
      namespace   = "AWS/ECS", metric = "CPUUtilization", dimensions = local.service
      statistic   = "Average", period = 60, evaluations = 10, comparison = "GreaterThanThreshold"
      threshold   = var.alarm_thresholds.cpu_percent
    }
    "memory-high" = {
      description = "The tasks run out of memory: raise task_memory."
      namespace   = "AWS/ECS", metric = "MemoryUtilization", dimensions = local.service
      statistic   = "Maximum", period = 60, evaluations = 5, comparison = "GreaterThanThreshold"
      threshold   = var.alarm_thresholds.memory_percent
    }
    "errors-logged" = {
      description = "The broker logs errors: see the saved query Errors."
      namespace   = var.name, metric = "ErrorsLogged", dimensions = {}
      statistic   = "Sum", period = 300, evaluations = 1, comparison = "GreaterThanOrEqualToThreshold"
      threshold   = var.alarm_thresholds.errors_logged_in_five_minutes
    }
    "pool-empty" = {
      description = "A student was turned away because no sandbox is available: create sandboxes, and look at what waits for deletion."
      namespace   = var.name, metric = "PoolEmpty", dimensions = {}
      statistic   = "Sum", period = 60, evaluations = 1, comparison = "GreaterThanOrEqualToThreshold"
      threshold   = 1
    }
    "deletion-failed" = {
      description = "A sandbox could not be deleted after every attempt: see the saved query Failed deletions, then retry-deletion."
      namespace   = var.name, metric = "DeletionsFailed", dimensions = {}
      statistic   = "Sum", period = 300, evaluations = 1, comparison = "GreaterThanOrEqualToThreshold"
      threshold   = 1
    }
    "sync-braked" = {
      description = "A sync would have marked too much of the pool stale and did not: look at the listing of the CSP, then force the sync."
      namespace   = var.name, metric = "SyncsBraked", dimensions = {}
      statistic   = "Sum", period = 300, evaluations = 1, comparison = "GreaterThanOrEqualToThreshold"
      threshold   = 1
    }
    "cleanup-capped" = {
      description = "More sandboxes wait for deletion than CLEANUP_MAX_DELETIONS allows: find out why before raising it."
      namespace   = var.name, metric = "CleanupsCapped", dimensions = {}
      statistic   = "Sum", period = 300, evaluations = 1, comparison = "GreaterThanOrEqualToThreshold"
      threshold   = 1
    }
    "csp-unauthorized" = {
      description = "The CSP refuses the broker's token, and nothing is deleted: put a new one into its secret."
      namespace   = var.name, metric = "CspUnauthorized", dimensions = {}
      statistic   = "Sum", period = 300, evaluations = 1, comparison = "GreaterThanOrEqualToThreshold"
      threshold   = 1
    }
    "deletions-wait" = {
      description = "Sandboxes have waited for their deletion for two hours: is cleanup paused, does it fail, or is it only slow?"
      namespace   = var.name, metric = "PoolPendingDeletion", dimensions = {}
      statistic   = "Minimum", period = 900, evaluations = 8, comparison = "GreaterThanThreshold"
      threshold   = var.alarm_thresholds.waiting_deletions
    }
    "job-failed" = {
      # Twice in two hours, so that a job that runs once an hour is heard of too.
      description = "A job ended in an error more than once: see the saved query Runs of the jobs."
      namespace   = var.name, metric = "JobsFailed", dimensions = {}
      statistic   = "Sum", period = 900, evaluations = 8, datapoints = 2, comparison = "GreaterThanOrEqualToThreshold"
      threshold   = 1
    }
  }

  # Silence is the fault here.
  running_alarms = {
    "no-healthy-task" = {
      description = "No task is ready: see the events of the service, and /readyz."
      namespace   = "AWS/ApplicationELB", metric = "HealthyHostCount", dimensions = local.target_group
      statistic   = "Maximum", period = 60, evaluations = 3, comparison = "LessThanThreshold"
      threshold   = 1
    }
    "sync-missing" = {
      description = "No sync has completed for too long: see the saved query Runs of the jobs, and whether the job is paused."
      namespace   = var.name, metric = "SyncsCompleted", dimensions = {}
      statistic   = "Sum", period = 3600, evaluations = var.alarm_thresholds.hours_without_sync, comparison = "LessThanThreshold"
      threshold   = 1
    }
    "cleanup-missing" = {
      description = "No cleanup has completed for too long, and used sandboxes stay: see the saved query Runs of the jobs, and whether the job is paused."
      namespace   = var.name, metric = "CleanupsCompleted", dimensions = {}
      statistic   = "Sum", period = 3600, evaluations = var.alarm_thresholds.hours_without_cleanup, comparison = "LessThanThreshold"
      threshold   = 1
    }
    "expiry-missing" = {
      description = "No expiry has completed for too long, and sandboxes of lost labs stay taken: see the saved query Runs of the jobs, and whether the job is paused."
      namespace   = var.name, metric = "ExpiriesCompleted", dimensions = {}
      statistic   = "Sum", period = 3600, evaluations = var.alarm_thresholds.hours_without_expiry, comparison = "LessThanThreshold"
      threshold   = 1
    }
    "statistics-missing" = {
      description = "The pool is not counted, so that pool-low and deletions-wait see nothing: is the job statistics paused, or does it fail?"
      namespace   = var.name, metric = "PoolAvailable", dimensions = {}
      statistic   = "SampleCount", period = 900, evaluations = 2, comparison = "LessThanThreshold"
      threshold   = 1
    }
  }

  schedule_alarms = [for queue in [var.failed_schedules_queue_name] : {
    "job-not-started" = {
      description = "A job could not be started: the message in the queue says why."
      namespace   = "AWS/SQS", metric = "ApproximateNumberOfMessagesVisible", dimensions = { QueueName = queue }
      statistic   = "Maximum", period = 300, evaluations = 1, comparison = "GreaterThanOrEqualToThreshold"
      threshold   = 1
    }
  } if queue != null]

  quiet_alarms = merge(local.service_alarms, local.schedule_alarms...)

  throttling_metrics = merge(
    { for metric in ["ReadThrottleEvents", "WriteThrottleEvents"] : metric => { metric = metric, dimensions = { TableName = var.table_name } } },
    [for index in var.index_names : {
      for metric in ["ReadThrottleEvents", "WriteThrottleEvents"] :
      "${index}-${metric}" => { metric = metric, dimensions = { TableName = var.table_name, GlobalSecondaryIndexName = index } }
    }]...
  )
}

resource "aws_sns_topic" "alarms" {
  count = local.make_topic ? 1 : 0

  name              = "${var.name}-alarms"
  kms_master_key_id = var.kms_key_arn

  tags = var.tags
}

resource "aws_sns_topic_policy" "alarms" {
  count = local.make_topic ? 1 : 0

  arn = aws_sns_topic.alarms[0].arn
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "AlarmsOfThisAccount"
      Effect    = "Allow"
      Principal = { Service = "cloudwatch.amazonaws.com" }
      Action    = "sns:Publish"
      Resource  = aws_sns_topic.alarms[0].arn
      Condition = { StringEquals = { "aws:SourceAccount" = data.aws_caller_identity.current.account_id } }
    }]
  })
}

resource "aws_sns_topic_subscription" "email" {
  for_each = local.make_topic ? var.alarm_email_addresses : toset([])

  topic_arn = aws_sns_topic.alarms[0].arn
  protocol  = "email"
  endpoint  = each.key
}

resource "aws_cloudwatch_metric_alarm" "quiet" {
  for_each = { for name, alarm in local.quiet_alarms : name => alarm if var.alarms }

  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = each.value.description
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  dimensions          = each.value.dimensions
  statistic           = startswith(each.value.statistic, "p") ? null : each.value.statistic
  extended_statistic  = startswith(each.value.statistic, "p") ? each.value.statistic : null
  period              = each.value.period
  evaluation_periods  = each.value.evaluations
  datapoints_to_alarm = try(each.value.datapoints, null)
  comparison_operator = each.value.comparison
  threshold           = each.value.threshold
  treat_missing_data  = "notBreaching"
  alarm_actions       = [local.topic_arn]
  ok_actions          = [local.topic_arn]

  tags = var.tags
}

resource "aws_cloudwatch_metric_alarm" "silent" {
  for_each = { for name, alarm in local.running_alarms : name => alarm if var.alarms && var.serves }

  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = each.value.description
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  dimensions          = each.value.dimensions
  statistic           = each.value.statistic
  period              = each.value.period
  evaluation_periods  = each.value.evaluations
  comparison_operator = each.value.comparison
  threshold           = each.value.threshold
  treat_missing_data  = "breaching"
  alarm_actions       = [local.topic_arn]
  ok_actions          = [local.topic_arn]

  tags = var.tags
}

# Any throttling, of the table or of an index, in either direction.
resource "aws_cloudwatch_metric_alarm" "throttled" {
  count = var.alarms ? 1 : 0

  alarm_name          = "${var.name}-table-throttled"
  alarm_description   = "DynamoDB throttles the table or an index: raise warm_throughput before classes, and STATUS_SHARDS if it is ${var.index_names[0]}."
  evaluation_periods  = 1
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = [local.topic_arn]
  ok_actions          = [local.topic_arn]

  metric_query {
    id          = "throttled"
    label       = "Throttled"
    expression  = "SUM(FILL(METRICS(), 0))"
    return_data = true
  }

  dynamic "metric_query" {
    for_each = { for index, key in sort(keys(local.throttling_metrics)) : "m${index}" => local.throttling_metrics[key] }

    content {
      id          = metric_query.key
      return_data = false

      metric {
        namespace   = "AWS/DynamoDB"
        metric_name = metric_query.value.metric
        dimensions  = metric_query.value.dimensions
        stat        = "Sum"
        period      = 60
      }
    }
  }

  tags = var.tags
}

# A share of the pool, as no number of sandboxes is few in every installation. An empty table has no share.
resource "aws_cloudwatch_metric_alarm" "pool_low" {
  count = var.alarms ? 1 : 0

  alarm_name          = "${var.name}-pool-low"
  alarm_description   = "Few sandboxes of the pool are available: compare with what today's classes need, and create sandboxes."
  evaluation_periods  = 1
  comparison_operator = "LessThanThreshold"
  threshold           = var.alarm_thresholds.available_percent
  treat_missing_data  = "notBreaching"
  alarm_actions       = [local.topic_arn]
  ok_actions          = [local.topic_arn]

  metric_query {
    id          = "share"
    label       = "Available (%)"
    expression  = "100 * poolavailable / SUM(METRICS())"
    return_data = true
  }

  dynamic "metric_query" {
    for_each = local.pool_counts

    content {
      id          = lower(metric_query.key)
      return_data = false

      metric {
        namespace   = var.name
        metric_name = metric_query.key
        stat        = "Average"
        period      = 300
      }
    }
  }

  tags = var.tags
}
