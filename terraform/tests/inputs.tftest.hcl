# Inputs that would break, cost or expose something are refused, with a message that says what to write.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  certificate_arn = "arn:aws:acm:eu-central-1:123456789012:certificate/0a1b"
  csp_base_url    = "https://csp.example/v2"
  image_tag       = "1.0.0"
}

run "a_name_that_is_too_long_for_a_load_balancer" {
  command = plan

  variables {
    name = "sandbox-broker-of-the-whole-company"
  }

  expect_failures = [var.name]
}

run "neither_certificate_nor_domain" {
  command = plan

  variables {
    certificate_arn = null
  }

  expect_failures = [var.certificate_arn]
}

run "operators_everywhere" {
  command = plan

  variables {
    operator_cidr_blocks = ["0.0.0.0/0"]
  }

  expect_failures = [var.operator_cidr_blocks]
}

run "metrics_for_everybody" {
  command = plan

  variables {
    metrics_reader_cidr_blocks = ["0.0.0.0/0"]
  }

  expect_failures = [var.metrics_reader_cidr_blocks]
}

run "the_latest_image" {
  command = plan

  variables {
    image_tag = "latest"
  }

  expect_failures = [var.image_tag]
}

run "two_images" {
  command = plan

  variables {
    image = "registry.example/broker:1.0.0"
  }

  expect_failures = [var.image_tag]
}

run "an_image_without_tag" {
  command = plan

  variables {
    image     = "registry.example/broker"
    image_tag = null
  }

  expect_failures = [var.image]
}

run "a_csp_in_the_clear" {
  command = plan

  variables {
    csp_base_url = "http://csp.example/v2"
  }

  expect_failures = [var.csp_base_url]
}

run "a_csp_on_a_port_that_tasks_do_not_reach" {
  command = plan

  variables {
    csp_base_url = "https://csp.example:8443/v2"
  }

  expect_failures = [var.csp_base_url]
}

run "a_csp_with_a_password_in_its_address" {
  command = plan

  variables {
    csp_base_url = "https://broker:0123@csp.example/v2"
  }

  expect_failures = [var.csp_base_url]
}

run "a_csp_that_names_the_port_of_https" {
  command = plan

  variables {
    csp_base_url = "https://csp.example:443/v2/of:8443/a@b"
  }

  assert {
    condition     = local.environment.CSP_BASE_URL == "https://csp.example:443/v2/of:8443/a@b"
    error_message = "An address that tasks reach is refused."
  }
}

run "a_token_among_the_settings" {
  command = plan

  variables {
    environment = { BROKER_API_TOKEN = "0123456789abcdef" }
  }

  expect_failures = [var.environment]
}

run "a_log_in_which_alarms_find_nothing" {
  command = plan

  variables {
    alarms      = true
    environment = { LOG_LEVEL = "warn" }
  }

  expect_failures = [var.environment]
}

run "a_log_in_which_the_dashboard_finds_nothing" {
  command = plan

  variables {
    dashboard   = true
    environment = { LOG_LEVEL = "silent" }
  }

  expect_failures = [var.environment]
}

run "a_log_that_says_more_than_alarms_need" {
  command = plan

  variables {
    alarms      = true
    environment = { LOG_LEVEL = "debug" }
  }

  assert {
    condition     = local.environment.LOG_LEVEL == "debug"
    error_message = "A level at which alarms find everything is refused."
  }
}

run "a_short_log_where_nothing_is_made_from_it" {
  command = plan

  variables {
    environment = { LOG_LEVEL = "warn" }
  }

  assert {
    condition     = local.environment.LOG_LEVEL == "warn"
    error_message = "A level is refused although no metric is made from the log."
  }
}

run "a_stop_shorter_than_the_draining" {
  command = plan

  variables {
    deregistration_delay_seconds = 60
    stop_timeout_seconds         = 60
  }

  expect_failures = [var.deregistration_delay_seconds]
}

run "a_replica_that_has_replicas" {
  command = plan

  variables {
    table_replicated = true
    replica_of       = { table_arn = "arn:aws:dynamodb:eu-west-1:123456789012:table/SandboxPool" }
  }

  expect_failures = [var.table_replicated]
}

run "a_replica_of_another_name" {
  command = plan

  variables {
    table_name = "Pool"
    replica_of = { table_arn = "arn:aws:dynamodb:eu-west-1:123456789012:table/SandboxPool" }
  }

  expect_failures = [var.replica_of]
}

run "addresses_for_alarms_that_are_not_made" {
  command = plan

  variables {
    alarm_email_addresses = ["operators@labs.example"]
  }

  expect_failures = [var.alarm_email_addresses]
}

run "an_endpoint_that_nothing_uses" {
  command = plan

  variables {
    interface_endpoints = ["ec2"]
  }

  expect_failures = [var.interface_endpoints]
}

run "an_alias_instead_of_a_key" {
  command = plan

  variables {
    kms_key_arn = "arn:aws:kms:eu-central-1:123456789012:alias/broker"
  }

  expect_failures = [var.kms_key_arn]
}

run "jobs_nowhere" {
  command = plan

  variables {
    jobs_run_in = "lambda"
  }

  expect_failures = [var.jobs_run_in]
}

run "tags_that_aws_keeps_for_itself" {
  command = plan

  variables {
    tags = { "aws:owner" = "us" }
  }

  expect_failures = [var.tags]
}

run "a_stop_that_has_no_time_for_what_is_in_flight" {
  command = plan

  variables {
    stop_timeout_seconds         = 14
    deregistration_delay_seconds = 10
  }

  expect_failures = [var.stop_timeout_seconds]
}

run "a_delay_that_leaves_no_time_for_what_is_in_flight" {
  command = plan

  variables {
    environment = { SHUTDOWN_DELAY_MS = "55000" }
  }

  expect_failures = [var.stop_timeout_seconds]
}

run "a_job_that_there_is_not" {
  command = plan

  variables {
    job_schedules = { clean-up = "rate(5 minutes)" }
  }

  expect_failures = [var.job_schedules]
}

run "a_login_that_is_no_address" {
  command = plan

  variables {
    niosxaas = { email = "cleaner" }
  }

  expect_failures = [var.niosxaas]
}

run "a_region_that_is_a_zone" {
  command = plan

  variables {
    secret_replica_regions = ["eu-west-1a"]
  }

  expect_failures = [var.secret_replica_regions]
}
