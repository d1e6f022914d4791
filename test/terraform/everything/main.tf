# Every option at once, for the check on moto's server; see ../check.ts. Nobody would run it like this.
terraform {
  required_version = ">= 1.11.0"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.100"
    }
  }
}

# The address of moto's server comes from AWS_ENDPOINT_URL.
provider "aws" {
  region            = "eu-central-1"
  access_key        = "moto"
  secret_key        = "moto"
  s3_use_path_style = true
  max_retries       = 2
}

resource "aws_kms_key" "broker" {
  description             = "Everything of the broker"
  deletion_window_in_days = 7
}

resource "aws_route53_zone" "labs" {
  name = "labs.example"
}

module "broker" {
  source = "../../../terraform"

  name                = "broker-check"
  tags                = { check = "everything" }
  deletion_protection = false
  kms_key_arn         = aws_kms_key.broker.arn

  availability_zone_count = 3
  nat_gateways            = "one_per_zone"
  interface_endpoints     = ["ecr.api", "ecr.dkr", "logs", "secretsmanager", "kms"]
  flow_log_retention_days = 7

  domain                  = { name = "broker.labs.example", hosted_zone_id = aws_route53_zone.labs.zone_id }
  operator_cidr_blocks    = ["198.51.100.0/24", "203.0.113.7/32"]
  additional_public_paths = ["/docs", "/v1/docs", "/v1/docs/*", "/v1/openapi.json"]
  access_logs             = { retention_days = 7 }
  firewall                = true

  table_name       = "SandboxPoolCheck"
  warm_throughput  = { read_units_per_second = 13000, write_units_per_second = 5000 }
  table_replicated = true

  image_tag                  = "check"
  minimum_tasks              = 2
  maximum_tasks              = 6
  container_health_check     = ["CMD", "node", "/app/dist/cli/healthcheck.js"]
  metrics_reader_cidr_blocks = ["10.80.0.0/16"]
  csp_base_url               = "https://csp.example/v2"
  environment                = { LAB_DURATION_HOURS = "4", STATUS_SHARDS = "4" }
  jobs_run_in                = "scheduled_tasks"
  container_insights         = "enabled"
  github_deployments         = { repository = "labs/sandbox-broker", environment = "production" }
  class_times = {
    monday = { begins = "cron(15 8 ? * MON *)", ends = "cron(0 10 ? * MON *)", timezone = "Europe/Berlin", minimum_tasks = 4 }
  }

  broker_api_token            = module.tokens.broker_api_token
  broker_admin_token          = module.tokens.broker_admin_token
  broker_token_version        = 1
  csp_api_token               = "check-csp-token-000000"
  csp_api_token_version       = 1
  niosxaas                    = { email = "cleaner@labs.example" }
  secret_recovery_window_days = 0
  secret_replica_regions      = ["eu-west-1"]
  user_pool                   = { domain_prefix = "broker-check" }

  saved_queries         = false
  alarms                = true
  alarm_email_addresses = ["operators@labs.example"]
  dashboard             = true
}

module "tokens" {
  source = "../../../terraform/modules/random-tokens"
}
