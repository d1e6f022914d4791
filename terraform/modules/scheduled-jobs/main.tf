data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

data "aws_region" "current" {}

locals {
  account = data.aws_caller_identity.current.account_id
  ecs     = "arn:${data.aws_partition.current.partition}:ecs:${data.aws_region.current.id}:${local.account}"

  # Without a revision ECS takes the newest that is active: the pipeline registers one for each image, and jobs follow
  # it as the service does. It takes those away that did not serve.
  newest_task_definition = "${local.ecs}:task-definition/${var.task_definition_family}"
}

resource "aws_scheduler_schedule_group" "this" {
  name = "${var.name}-jobs"

  tags = var.tags
}

# What could not be started, with the reason.
resource "aws_sqs_queue" "failed" {
  name                      = "${var.name}-failed-schedules"
  message_retention_seconds = 1209600
  sqs_managed_sse_enabled   = true

  tags = var.tags
}

resource "aws_iam_role" "scheduler" {
  name        = "${var.name}-scheduler"
  description = "Starts the jobs of the broker as tasks"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "scheduler.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = {
        StringEquals = {
          "aws:SourceAccount" = local.account
          "aws:SourceArn"     = aws_scheduler_schedule_group.this.arn
        }
      }
    }]
  })

  tags = var.tags
}

resource "aws_iam_role_policy" "scheduler" {
  name = "start-jobs"
  role = aws_iam_role.scheduler.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "StartTasks"
        Effect    = "Allow"
        Action    = ["ecs:RunTask"]
        Resource  = [local.newest_task_definition, "${local.newest_task_definition}:*"]
        Condition = { ArnEquals = { "ecs:cluster" = var.cluster_arn } }
      },
      {
        Sid       = "TagTasks"
        Effect    = "Allow"
        Action    = ["ecs:TagResource"]
        Resource  = ["${local.ecs}:task/${var.cluster_name}/*"]
        Condition = { StringEquals = { "ecs:CreateAction" = "RunTask" } }
      },
      {
        Sid       = "PassRoles"
        Effect    = "Allow"
        Action    = ["iam:PassRole"]
        Resource  = var.role_arns
        Condition = { StringEquals = { "iam:PassedToService" = "ecs-tasks.amazonaws.com" } }
      },
      {
        Sid      = "ReportFailures"
        Effect   = "Allow"
        Action   = ["sqs:SendMessage"]
        Resource = [aws_sqs_queue.failed.arn]
      },
    ]
  })
}

# A job that is started twice does no harm: it runs under a lease.
resource "aws_scheduler_schedule" "job" {
  for_each = var.schedules

  name                = "${var.name}-${each.key}"
  description         = "sandbox-broker jobs run ${each.key}"
  group_name          = aws_scheduler_schedule_group.this.name
  state               = var.running ? "ENABLED" : "DISABLED"
  schedule_expression = each.value

  flexible_time_window {
    mode = "OFF"
  }

  target {
    arn      = var.cluster_arn
    role_arn = aws_iam_role.scheduler.arn

    # Replaces the whole command of the image, which has no entry point.
    input = jsonencode({
      containerOverrides = [{ name = var.container_name, command = ["sandbox-broker", "jobs", "run", each.key] }]
    })

    ecs_parameters {
      task_definition_arn     = local.newest_task_definition
      launch_type             = "FARGATE"
      task_count              = 1
      enable_ecs_managed_tags = true
      propagate_tags          = "TASK_DEFINITION"

      network_configuration {
        subnets          = var.subnet_ids
        security_groups  = [var.security_group_id]
        assign_public_ip = var.assign_public_ip
      }
    }

    retry_policy {
      maximum_event_age_in_seconds = 300
      maximum_retry_attempts       = 3
    }

    dead_letter_config {
      arn = aws_sqs_queue.failed.arn
    }
  }

  depends_on = [aws_iam_role_policy.scheduler]
}
