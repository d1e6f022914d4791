# What is not asked for is not made, and so not paid for.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  certificate_arn = "arn:aws:acm:eu-central-1:123456789012:certificate/0a1b"
  csp_base_url    = "https://csp.example/v2"
  image_tag       = "1.0.0"
}

run "nothing_beyond_the_working_minimum" {
  command = plan

  assert {
    condition     = length(output.nat_addresses) == 0
    error_message = "A NAT gateway is made although nobody asked for it."
  }

  assert {
    condition     = length(module.firewall) == 0
    error_message = "A firewall is made although nobody asked for it."
  }

  assert {
    condition     = length(output.alarm_names) == 0 && output.alarm_topic_arn == null && output.dashboard_name == null
    error_message = "Alarms, their topic or a dashboard are made although nobody asked for them."
  }

  assert {
    condition     = length(module.scheduled_jobs) == 0 && length(output.schedule_names) == 0
    error_message = "Schedules are made although the jobs run in the service."
  }

  assert {
    condition     = output.user_pool == null && output.access_log_bucket == null
    error_message = "A user pool or a bucket is made although nobody asked for it."
  }

  assert {
    condition     = output.table_name == "SandboxPool"
    error_message = "The table is not named as the contract says."
  }
}

run "the_jobs_run_in_every_task" {
  command = plan

  assert {
    condition     = local.environment.ROLE == "all"
    error_message = "ROLE must be all where the jobs run in the service."
  }
}
