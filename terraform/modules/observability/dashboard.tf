data "aws_region" "current" {}

locals {
  region = data.aws_region.current.id

  target_metric = ["LoadBalancer", var.load_balancer_arn_suffix, "TargetGroup", var.target_group_arn_suffix]

  # A number: twelve columns wide, in the order of reading: what students see, what the pool has, what carries it.
  charts = concat(
    [
      {
        title = "Requests by status"
        stat  = "Sum"
        metrics = [for status in ["2XX", "4XX", "5XX"] :
          concat(["AWS/ApplicationELB", "HTTPCode_Target_${status}_Count"], local.target_metric)
        ]
      },
      {
        title = "Time to answer (s)"
        stat  = "p99"
        metrics = [
          concat(["AWS/ApplicationELB", "TargetResponseTime"], local.target_metric, [{ stat = "p50", label = "p50" }]),
          concat(["AWS/ApplicationELB", "TargetResponseTime"], local.target_metric, [{ stat = "p99", label = "p99" }]),
        ]
      },
      {
        title = "Allocations by outcome"
        stat  = "Sum"
        metrics = [
          # In quotes, as a name with a hyphen would be read as two words.
          [{ expression = "SEARCH('{\"${var.name}\",Outcome} MetricName=\"Allocations\"', 'Sum', 60)", label = "" }],
        ]
      },
      {
        title   = "Pool"
        stat    = "Average"
        metrics = [for name in keys(local.pool_counts) : [var.name, name]]
      },
      {
        title = "Turned away, failed deletions, braked syncs"
        stat  = "Sum"
        metrics = [
          [var.name, "PoolEmpty"],
          [var.name, "DeletionsFailed"],
          [var.name, "SyncsBraked"],
          [var.name, "JobsFailed"],
          [var.name, "ErrorsLogged"],
        ]
      },
      {
        title = "Tasks: CPU and memory (%)"
        stat  = "Average"
        metrics = [
          ["AWS/ECS", "CPUUtilization", "ClusterName", var.cluster_name, "ServiceName", var.service_name],
          ["AWS/ECS", "MemoryUtilization", "ClusterName", var.cluster_name, "ServiceName", var.service_name],
        ]
      },
      {
        title = "Ready tasks"
        stat  = "Maximum"
        metrics = [
          concat(["AWS/ApplicationELB", "HealthyHostCount"], local.target_metric),
          concat(["AWS/ApplicationELB", "UnHealthyHostCount"], local.target_metric),
        ]
      },
      {
        title = "Table: units consumed a minute"
        stat  = "Sum"
        metrics = concat(
          [for metric in ["ConsumedReadCapacityUnits", "ConsumedWriteCapacityUnits"] : ["AWS/DynamoDB", metric, "TableName", var.table_name]],
          [for index in var.index_names : ["AWS/DynamoDB", "ConsumedWriteCapacityUnits", "TableName", var.table_name, "GlobalSecondaryIndexName", index]],
        )
      },
      {
        title = "Table: throttled"
        stat  = "Sum"
        metrics = concat(
          [for metric in ["ReadThrottleEvents", "WriteThrottleEvents"] : ["AWS/DynamoDB", metric, "TableName", var.table_name]],
          [for index in var.index_names : ["AWS/DynamoDB", "WriteThrottleEvents", "TableName", var.table_name, "GlobalSecondaryIndexName", index]],
        )
      },
    ],
    [for web_acl in [var.web_acl_name] : {
      title   = "Blocked by the firewall"
      stat    = "Sum"
      metrics = [["AWS/WAFV2", "BlockedRequests", "WebACL", web_acl, "Region", local.region, "Rule", "ALL"]]
    } if web_acl != null],
  )
}

resource "aws_cloudwatch_dashboard" "this" {
  count = var.dashboard ? 1 : 0

  dashboard_name = var.name
  dashboard_body = jsonencode({
    widgets = [for index, chart in local.charts : {
      type   = "metric"
      x      = (index % 2) * 12
      y      = floor(index / 2) * 6
      width  = 12
      height = 6
      properties = {
        title   = chart.title
        stat    = chart.stat
        period  = 60
        region  = local.region
        view    = "timeSeries"
        metrics = chart.metrics
      }
    }]
  })
}
