output "log_group_name" {
  description = "Log group of the tasks."
  value       = aws_cloudwatch_log_group.broker.name
}

output "log_group_arn" {
  description = "ARN of the log group."
  value       = aws_cloudwatch_log_group.broker.arn
}

output "alarm_topic_arn" {
  description = "Topic that alarms go to; null without alarms."
  value       = local.topic_arn
}

output "alarm_names" {
  description = "Names of all alarms."
  value = concat(
    [for alarm in aws_cloudwatch_metric_alarm.quiet : alarm.alarm_name],
    [for alarm in aws_cloudwatch_metric_alarm.silent : alarm.alarm_name],
    [for alarm in aws_cloudwatch_metric_alarm.throttled : alarm.alarm_name],
    [for alarm in aws_cloudwatch_metric_alarm.pool_low : alarm.alarm_name],
  )
}

output "rollback_alarm_names" {
  description = "Alarms that a bad deployment sets off: failing requests."
  value       = [for alarm in ["requests-fail"] : aws_cloudwatch_metric_alarm.quiet[alarm].alarm_name if var.alarms]
}

output "dashboard_name" {
  description = "Name of the dashboard; null without one."
  value       = one(aws_cloudwatch_dashboard.this[*].dashboard_name)
}

output "saved_query_names" {
  description = "Names of the saved queries."
  value       = [for query in aws_cloudwatch_query_definition.this : query.name]
}
