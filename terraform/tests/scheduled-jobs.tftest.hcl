# Jobs as tasks of their own.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  name                   = "broker"
  schedules              = { sync = "rate(10 minutes)", cleanup = "cron(0/5 * * * ? *)" }
  running                = true
  cluster_arn            = "arn:aws:ecs:eu-central-1:123456789012:cluster/broker"
  cluster_name           = "broker"
  task_definition_family = "broker"
  container_name         = "broker"
  subnet_ids             = ["subnet-1"]
  security_group_id      = "sg-1"
  assign_public_ip       = true
  role_arns              = ["arn:aws:iam::123456789012:role/broker-task", "arn:aws:iam::123456789012:role/broker-execution"]
  tags                   = {}
}

run "each_job_is_a_command_of_the_same_image" {
  command = plan

  module {
    source = "./modules/scheduled-jobs"
  }

  override_resource {
    target          = aws_sqs_queue.failed
    override_during = plan
    values          = { arn = "arn:aws:sqs:eu-central-1:123456789012:broker-failed-schedules" }
  }

  override_resource {
    target          = aws_iam_role.scheduler
    override_during = plan
    values          = { arn = "arn:aws:iam::123456789012:role/broker-scheduler" }
  }

  assert {
    condition     = jsondecode(aws_scheduler_schedule.job["sync"].target[0].input) == { containerOverrides = [{ name = "broker", command = ["sandbox-broker", "jobs", "run", "sync"] }] }
    error_message = "The task does not run its job."
  }

  assert {
    condition     = aws_scheduler_schedule.job["sync"].schedule_expression == "rate(10 minutes)" && aws_scheduler_schedule.job["cleanup"].schedule_expression == "cron(0/5 * * * ? *)"
    error_message = "A job runs at another time."
  }

  assert {
    condition     = alltrue([for schedule in aws_scheduler_schedule.job : schedule.target[0].ecs_parameters[0].task_definition_arn == "arn:aws:ecs:eu-central-1:123456789012:task-definition/broker"])
    error_message = "A job stays with one revision, and so with an old image."
  }
}

run "the_scheduler_may_start_these_tasks_and_nothing_else" {
  command = plan

  module {
    source = "./modules/scheduled-jobs"
  }

  override_resource {
    target          = aws_sqs_queue.failed
    override_during = plan
    values          = { arn = "arn:aws:sqs:eu-central-1:123456789012:broker-failed-schedules" }
  }

  override_resource {
    target          = aws_iam_role.scheduler
    override_during = plan
    values          = { arn = "arn:aws:iam::123456789012:role/broker-scheduler" }
  }

  assert {
    condition = jsonencode({ for statement in jsondecode(aws_iam_role_policy.scheduler.policy).Statement : statement.Sid => { actions = statement.Action, resources = statement.Resource } }) == jsonencode({
      StartTasks     = { actions = ["ecs:RunTask"], resources = ["arn:aws:ecs:eu-central-1:123456789012:task-definition/broker", "arn:aws:ecs:eu-central-1:123456789012:task-definition/broker:*"] }
      TagTasks       = { actions = ["ecs:TagResource"], resources = ["arn:aws:ecs:eu-central-1:123456789012:task/broker/*"] }
      PassRoles      = { actions = ["iam:PassRole"], resources = var.role_arns }
      ReportFailures = { actions = ["sqs:SendMessage"], resources = ["arn:aws:sqs:eu-central-1:123456789012:broker-failed-schedules"] }
    })
    error_message = "The scheduler may do more or less than starting the jobs."
  }
}

run "schedules_wait_where_the_service_stands_still" {
  command = plan

  module {
    source = "./modules/scheduled-jobs"
  }

  override_resource {
    target          = aws_sqs_queue.failed
    override_during = plan
    values          = { arn = "arn:aws:sqs:eu-central-1:123456789012:broker-failed-schedules" }
  }

  override_resource {
    target          = aws_iam_role.scheduler
    override_during = plan
    values          = { arn = "arn:aws:iam::123456789012:role/broker-scheduler" }
  }

  variables {
    running = false
  }

  assert {
    condition     = alltrue([for schedule in aws_scheduler_schedule.job : schedule.state == "DISABLED"])
    error_message = "Jobs run in a region that does not serve."
  }
}

run "a_schedule_that_is_none_is_refused" {
  command = plan

  module {
    source = "./modules/scheduled-jobs"
  }

  variables {
    schedules = { sync = "every ten minutes" }
  }

  expect_failures = [var.schedules]
}
