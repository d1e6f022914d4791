output "schedule_names" {
  description = "Names of the schedules, by job."
  value       = { for job, schedule in aws_scheduler_schedule.job : job => schedule.name }
}

output "failed_queue_name" {
  description = "Queue of what could not be started."
  value       = aws_sqs_queue.failed.name
}
