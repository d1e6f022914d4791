# Secrets exist; their values never pass through the state.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  name                  = "broker"
  kms_key_arn           = null
  recovery_window_days  = 30
  replica_regions       = []
  broker_api_token      = null
  broker_admin_token    = null
  broker_token_version  = 0
  csp_api_token         = null
  csp_api_token_version = 0
  with_niosxaas         = false
  tags                  = {}
}

run "three_secrets_without_values" {
  command = plan

  module {
    source = "./modules/secrets"
  }

  assert {
    condition     = toset([for secret in aws_secretsmanager_secret.this : secret.name]) == toset(["broker/broker-api-token", "broker/broker-admin-token", "broker/csp-api-token"])
    error_message = "The secrets are not the three tokens."
  }

  assert {
    condition     = length(aws_secretsmanager_secret_version.broker_api_token) == 0 && length(aws_secretsmanager_secret_version.broker_admin_token) == 0 && length(aws_secretsmanager_secret_version.csp_api_token) == 0
    error_message = "A value is written although nobody gave it."
  }
}

run "values_are_written_but_not_kept" {
  command = plan

  module {
    source = "./modules/secrets"
  }

  variables {
    broker_api_token      = "aaaaaaaaaaaaaaaa"
    broker_admin_token    = "bbbbbbbbbbbbbbbb"
    broker_token_version  = 3
    csp_api_token         = "cccccccccccccccc"
    csp_api_token_version = 1
  }

  assert {
    condition     = alltrue([for version in concat(aws_secretsmanager_secret_version.broker_api_token, aws_secretsmanager_secret_version.broker_admin_token, aws_secretsmanager_secret_version.csp_api_token) : version.secret_string == null || version.secret_string == ""])
    error_message = "A value gets into the state."
  }

  assert {
    condition     = aws_secretsmanager_secret_version.broker_api_token[0].secret_string_wo_version == 3 && aws_secretsmanager_secret_version.csp_api_token[0].secret_string_wo_version == 1
    error_message = "Raising the version would not write a new value."
  }
}

run "niosxaas_and_replicas_where_asked_for" {
  command = plan

  module {
    source = "./modules/secrets"
  }

  variables {
    with_niosxaas   = true
    replica_regions = ["eu-west-1"]
  }

  assert {
    condition     = contains([for secret in aws_secretsmanager_secret.this : secret.name], "broker/niosxaas-password")
    error_message = "The password of NIOSXaaS has no secret."
  }

  assert {
    condition     = alltrue([for secret in aws_secretsmanager_secret.this : [for replica in secret.replica : replica.region] == ["eu-west-1"]])
    error_message = "A secret is missing in the other region."
  }
}

run "a_recovery_window_that_does_not_exist_is_refused" {
  command = plan

  module {
    source = "./modules/secrets"
  }

  variables {
    recovery_window_days = 3
  }

  expect_failures = [var.recovery_window_days]
}
