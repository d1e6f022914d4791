# A class of 1,000 that starts within a minute, from one address: tasks are there before it does, and neither the
# table nor its indexes have to grow while it starts.
module "broker" {
  source = "../.."

  domain       = var.domain
  csp_base_url = var.csp_base_url
  image_tag    = var.image_tag

  github_deployments = var.github_deployments

  broker_api_token     = module.tokens.broker_api_token
  broker_admin_token   = module.tokens.broker_admin_token
  broker_token_version = 1

  availability_zone_count = 3
  nat_gateways            = "one_per_zone"

  operator_cidr_blocks = var.operator_cidr_blocks
  access_logs          = { retention_days = 90 }

  # A thousand students behind one address: an allocation, a few retries and a release each fit.
  firewall                      = true
  firewall_requests_per_address = 20000

  task_cpu      = 1024
  task_memory   = 2048
  minimum_tasks = 3
  maximum_tasks = 12

  # Scaling takes minutes and a class seconds: twice the tasks from a quarter of an hour before.
  class_times = {
    weekdays = {
      begins        = "cron(45 8 ? * MON-FRI *)"
      ends          = "cron(0 10 ? * MON-FRI *)"
      timezone      = "Europe/Berlin"
      minimum_tasks = 6
    }
  }

  # An allocation moves a row from one key of the status index to another: four keys a status instead of one.
  environment = { STATUS_SHARDS = "4" }

  # 1,000 allocations in a second write about 4,000 units to the table, and as many to its indexes.
  warm_throughput = { read_units_per_second = 12000, write_units_per_second = 8000 }

  alarms                = true
  alarm_email_addresses = var.alarm_email_addresses
  dashboard             = true
  log_retention_days    = 90

  tags = { environment = "production" }
}

module "tokens" {
  source = "../../modules/random-tokens"
}
