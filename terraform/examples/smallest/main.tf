# The least that works: one small task on spare capacity, no NAT gateway, no firewall, no alarms. For trials; the
# broker is away for a minute or two when AWS takes the task back. Its names let it stand beside another installation.
module "broker" {
  source = "../.."

  name         = "sandbox-broker-trial"
  table_name   = "SandboxPoolTrial"
  domain       = var.domain
  csp_base_url = var.csp_base_url
  image_tag    = var.image_tag

  broker_api_token     = module.tokens.broker_api_token
  broker_admin_token   = module.tokens.broker_admin_token
  broker_token_version = 1

  task_cpu      = 256
  task_memory   = 512
  fargate_spot  = true
  minimum_tasks = 1
  maximum_tasks = 1

  log_retention_days = 7

  tags = { environment = "trial" }
}

module "tokens" {
  source = "../../modules/random-tokens"
}
