# The environment of the container.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  certificate_arn = "arn:aws:acm:eu-central-1:123456789012:certificate/0a1b"
  csp_base_url    = "https://csp.example/v2"
  image_tag       = "1.0.0"
  existing_secret_arns = {
    broker_api_token   = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:api-aaaaaa"
    broker_admin_token = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:admin-bbbbbb"
    csp_api_token      = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:csp-cccccc"
    niosxaas_password  = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:niosxaas-dddddd"
  }
}

run "tokens_are_reloaded_by_their_secret" {
  command = plan

  assert {
    condition     = local.environment.BROKER_API_TOKEN_SECRET_ID == var.existing_secret_arns.broker_api_token && local.environment.BROKER_ADMIN_TOKEN_SECRET_ID == var.existing_secret_arns.broker_admin_token && local.environment.CSP_API_TOKEN_SECRET_ID == var.existing_secret_arns.csp_api_token
    error_message = "The broker is not told which secrets to read."
  }

  assert {
    condition     = length(local.environment_secrets) == 0 && length(local.secret_arns_read_at_start) == 0
    error_message = "ECS reads secrets that the broker reads itself."
  }

  assert {
    condition     = toset(local.secret_arns_read_by_tasks) == toset([var.existing_secret_arns.broker_api_token, var.existing_secret_arns.broker_admin_token, var.existing_secret_arns.csp_api_token])
    error_message = "The broker may not read exactly its three tokens."
  }
}

run "tokens_come_with_the_environment" {
  command = plan

  variables {
    secret_delivery = "environment"
  }

  assert {
    condition     = length(local.secret_arns_read_by_tasks) == 0 && length([for variable in keys(local.environment) : variable if endswith(variable, "_SECRET_ID")]) == 0
    error_message = "The broker may read secrets although ECS delivers them."
  }

  assert {
    condition = jsonencode(local.environment_secrets) == jsonencode({
      BROKER_API_TOKEN   = var.existing_secret_arns.broker_api_token
      BROKER_ADMIN_TOKEN = var.existing_secret_arns.broker_admin_token
      CSP_API_TOKEN      = var.existing_secret_arns.csp_api_token
    })
    error_message = "ECS does not deliver exactly the three tokens."
  }
}

run "the_niosxaas_password_is_delivered_like_the_tokens" {
  command = plan

  variables {
    niosxaas = { email = "cleaner@labs.example" }
  }

  assert {
    condition     = local.environment.NIOSXAAS_ENABLED == "true" && local.environment.NIOSXAAS_EMAIL == "cleaner@labs.example" && local.environment.NIOSXAAS_PASSWORD_SECRET_ID == var.existing_secret_arns.niosxaas_password
    error_message = "The NIOSXaaS login is not delivered."
  }

  assert {
    condition     = contains(local.secret_arns_read_by_tasks, var.existing_secret_arns.niosxaas_password)
    error_message = "The broker may not read the password of NIOSXaaS."
  }
}

run "without_niosxaas_nobody_reads_its_password" {
  command = plan

  assert {
    condition     = local.environment.NIOSXAAS_ENABLED == "false" && !contains(concat(local.secret_arns_read_by_tasks, local.secret_arns_read_at_start), var.existing_secret_arns.niosxaas_password)
    error_message = "Somebody may read a password that nobody needs."
  }
}

run "metrics_have_a_port_of_their_own_where_somebody_reads_them" {
  command = plan

  variables {
    metrics_reader_cidr_blocks = ["10.80.0.0/16"]
  }

  assert {
    condition     = local.environment.METRICS_PORT == "9464"
    error_message = "The broker does not open the port from which metrics are read."
  }
}

run "the_broker_takes_tokens_of_the_user_pool" {
  command = plan

  variables {
    user_pool = { domain_prefix = "labs-broker", scope_prefix = "labs" }
  }

  override_module {
    target = module.user_pool
    outputs = {
      user_pool_id   = "eu-central-1_aaaaaaaaa"
      issuer_url     = "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_aaaaaaaaa"
      client_ids     = { admin = "one", allocate = "two" }
      client_secrets = { admin = "1", allocate = "2" }
      scopes         = { admin = "labs/admin", allocate = "labs/allocate" }
      token_url      = "https://labs-broker.auth.eu-central-1.amazoncognito.com/oauth2/token"
    }
  }

  assert {
    condition     = local.environment.COGNITO_ISSUER_URL == "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_aaaaaaaaa" && local.environment.COGNITO_CLIENT_IDS == "one,two" && local.environment.COGNITO_SCOPE_PREFIX == "labs"
    error_message = "The broker does not know the user pool, its clients or its scopes."
  }
}

run "settings_reach_the_container_and_cannot_undo_what_the_module_relies_on" {
  command = plan

  variables {
    table_name  = "Pool"
    index_names = { status = "ByStatus" }
    environment = { LAB_DURATION_HOURS = "6", TRUST_PROXY = "2", PORT = "9999", DDB_TABLE_NAME = "Other", LOG_FORMAT = "text" }
  }

  assert {
    condition     = local.environment.LAB_DURATION_HOURS == "6" && local.environment.TRUST_PROXY == "2"
    error_message = "A setting of the caller did not reach the container."
  }

  assert {
    condition     = local.environment.PORT == "8080" && local.environment.DDB_TABLE_NAME == "Pool" && local.environment.LOG_FORMAT == "json"
    error_message = "A setting of the caller undid what the load balancer, the roles and the log filters rely on."
  }

  assert {
    condition     = local.environment.DDB_GSI1_NAME == "ByStatus" && local.environment.DDB_GSI2_NAME == "TrackIndex" && local.environment.DDB_GSI3_NAME == "IdempotencyIndex"
    error_message = "The broker is not told the names of the indexes."
  }
}

run "a_stop_ends_before_ecs_kills_the_task" {
  command = plan

  variables {
    stop_timeout_seconds = 90
  }

  assert {
    condition     = tonumber(local.environment.SHUTDOWN_TIMEOUT_MS) < 90000 && tonumber(local.environment.SHUTDOWN_TIMEOUT_MS) > tonumber(local.environment.SHUTDOWN_DELAY_MS)
    error_message = "The broker would be killed in the middle of its own stop."
  }
}

run "scheduled_tasks_leave_the_service_the_requests_only" {
  command = plan

  variables {
    jobs_run_in = "scheduled_tasks"
  }

  assert {
    condition     = local.environment.ROLE == "api"
    error_message = "The service would run the jobs too."
  }

  assert {
    condition     = toset(keys(output.schedule_names)) == toset(["sync", "cleanup", "expiry", "stale", "statistics"])
    error_message = "Not every job has a schedule."
  }
}
