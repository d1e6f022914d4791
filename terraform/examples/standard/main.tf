# For everyday use: two tasks or more in two zones behind a firewall, the operators' network let in to everything,
# alarms by e-mail, logs for a quarter of a year.
module "broker" {
  source = "../.."

  domain       = var.domain
  csp_base_url = var.csp_base_url
  image_tag    = var.image_tag

  github_deployments = var.github_deployments

  broker_api_token     = module.tokens.broker_api_token
  broker_admin_token   = module.tokens.broker_admin_token
  broker_token_version = 1

  # One fixed address toward the CSP. The loss of its zone stops the jobs, not the allocations: DynamoDB is reached
  # by an endpoint in the VPC.
  nat_gateways = "one"

  operator_cidr_blocks = var.operator_cidr_blocks
  firewall             = true
  access_logs          = { retention_days = 90 }

  minimum_tasks = 2
  maximum_tasks = 6

  alarms                = true
  alarm_email_addresses = var.alarm_email_addresses
  dashboard             = true
  log_retention_days    = 90

  tags = { environment = "production" }
}

module "tokens" {
  source = "../../modules/random-tokens"
}
