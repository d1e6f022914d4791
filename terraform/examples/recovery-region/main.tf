# A second region that stands ready: a replica of the table, copies of the secrets, everything else without tasks.
#
# Only one region may serve. A transaction holds within its region, and what one region writes reaches the other a
# moment later: two regions that allocate at once can give one sandbox to two students. So, when a region is lost:
#
#   1. Make sure that the lost region does not serve: remove its DNS record, or its tasks (minimum_tasks and
#      maximum_tasks 0) as soon as it answers again.
#   2. With serving_region_lost = true, apply only the recovery region, without asking the lost one:
#        terraform apply -refresh=false -target=module.broker_recovery
#      The state must be kept where the loss of the region does not reach it. Writes of the last second or so may be missing from the replica:
#      quarantine the sandboxes that labs hold and the table shows as available.
#   3. Point the name of the broker at the recovery region's load balancer.
module "broker" {
  source = "../.."

  certificate_arn        = var.certificate_arn
  csp_base_url           = var.csp_base_url
  image_tag              = var.image_tag
  broker_api_token       = module.tokens.broker_api_token
  broker_admin_token     = module.tokens.broker_admin_token
  broker_token_version   = 1
  table_replicated       = true
  secret_replica_regions = [var.recovery_region]

  minimum_tasks = var.serving_region_lost ? 0 : 2
  maximum_tasks = var.serving_region_lost ? 0 : 6
  alarms        = true
}

module "broker_recovery" {
  source    = "../.."
  providers = { aws = aws.recovery }

  certificate_arn = var.recovery_certificate_arn
  csp_base_url    = var.csp_base_url
  image_tag       = var.image_tag
  replica_of      = { table_arn = module.broker.table_arn }

  # A copy of a secret has the ARN of the secret, in its own region.
  existing_secret_arns = { for secret, arn in module.broker.secret_arns : secret => replace(arn, ":${var.region}:", ":${var.recovery_region}:") }

  minimum_tasks = var.serving_region_lost ? 2 : 0
  maximum_tasks = var.serving_region_lost ? 6 : 0
  alarms        = true
}

module "tokens" {
  source = "../../modules/random-tokens"
}
