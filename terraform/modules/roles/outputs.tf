output "task_role_arn" {
  description = "Role of the broker while it runs."
  value       = aws_iam_role.task.arn

  # A task that starts before its rights are there fails.
  depends_on = [aws_iam_role_policy.task]
}

output "execution_role_arn" {
  description = "Role with which ECS starts the tasks."
  value       = aws_iam_role.execution.arn

  depends_on = [aws_iam_role_policy.execution]
}

output "task_actions" {
  description = "The calls that the broker may make, by what they are made on: table, index and secret."
  value       = local.actions
}
