module "network" {
  source = "./modules/network"
  count  = var.existing_network == null ? 1 : 0

  name                    = var.name
  cidr_block              = var.vpc_cidr_block
  availability_zone_count = var.availability_zone_count
  nat_gateways            = var.nat_gateways
  interface_endpoints     = var.interface_endpoints
  flow_log_retention_days = var.flow_log_retention_days
  kms_key_arn             = var.kms_key_arn
  tags                    = var.tags
}

module "registry" {
  source = "./modules/registry"
  count  = var.image == null ? 1 : 0

  name        = var.name
  kept_images = var.kept_images
  kms_key_arn = var.kms_key_arn
  deletable   = !var.deletion_protection
  tags        = var.tags
}

module "secrets" {
  source = "./modules/secrets"
  count  = var.existing_secret_arns == null ? 1 : 0

  name                  = var.name
  kms_key_arn           = var.kms_key_arn
  recovery_window_days  = var.secret_recovery_window_days
  replica_regions       = var.secret_replica_regions
  broker_api_token      = var.broker_api_token
  broker_admin_token    = var.broker_admin_token
  broker_token_version  = var.broker_token_version
  csp_api_token         = var.csp_api_token
  csp_api_token_version = var.csp_api_token_version
  with_niosxaas         = var.niosxaas != null
  tags                  = var.tags
}

module "table" {
  source = "./modules/table"

  name                        = var.table_name
  index_names                 = var.index_names
  point_in_time_recovery_days = var.point_in_time_recovery_days
  deletion_protection         = var.deletion_protection
  kms_key_arn                 = var.kms_key_arn
  warm_throughput             = var.warm_throughput
  replicated                  = var.table_replicated
  replica_of                  = var.replica_of
  tags                        = var.tags
}

module "roles" {
  source = "./modules/roles"

  name                      = local.regional_name
  table_arn                 = module.table.arn
  index_arns                = module.table.index_arns
  secret_arns_read_by_tasks = local.secret_arns_read_by_tasks
  secret_arns_read_at_start = local.secret_arns_read_at_start
  repository_arn            = local.repository_arn
  log_group_arn             = module.observability.log_group_arn
  kms_key_arn               = var.kms_key_arn
  tags                      = var.tags
}

module "load_balancer" {
  source = "./modules/load-balancer"

  name                         = var.name
  vpc_id                       = local.network.vpc_id
  subnet_ids                   = local.network.load_balancer_subnet_ids
  internal                     = var.internal
  certificate_arn              = var.certificate_arn
  domain                       = var.domain
  tls_policy                   = var.tls_policy
  client_cidr_blocks           = var.client_cidr_blocks
  operator_cidr_blocks         = var.operator_cidr_blocks
  public_paths                 = local.public_paths
  container_port               = local.container_port
  deregistration_delay_seconds = var.deregistration_delay_seconds
  deletion_protection          = var.deletion_protection
  access_logs                  = var.access_logs
  tags                         = var.tags
}

module "firewall" {
  source = "./modules/firewall"
  count  = var.firewall ? 1 : 0

  name                 = var.name
  load_balancer_arn    = module.load_balancer.arn
  requests_per_address = var.firewall_requests_per_address
  requests_per_caller  = var.firewall_requests_per_caller
  tags                 = var.tags
}

module "service" {
  source = "./modules/service"

  name                            = var.name
  vpc_id                          = local.network.vpc_id
  subnet_ids                      = local.network.task_subnet_ids
  assign_public_ip                = local.network.tasks_need_public_addresses
  image                           = local.image
  cpu_architecture                = var.cpu_architecture
  cpu                             = var.task_cpu
  memory                          = var.task_memory
  fargate_spot                    = var.fargate_spot
  container_port                  = local.container_port
  metrics_port                    = local.metrics_port
  container_health_check          = var.container_health_check
  environment                     = local.environment
  environment_secrets             = local.environment_secrets
  minimum_tasks                   = var.minimum_tasks
  maximum_tasks                   = var.maximum_tasks
  target_cpu_percent              = var.target_cpu_percent
  target_requests_per_task        = var.target_requests_per_task
  class_times                     = var.class_times
  stop_timeout_seconds            = var.stop_timeout_seconds
  load_balancer_security_group_id = module.load_balancer.security_group_id
  target_group_arn                = module.load_balancer.target_group_arn
  request_count_resource_label    = "${module.load_balancer.arn_suffix}/${module.load_balancer.target_group_arn_suffix}"
  metrics_reader_cidr_blocks      = var.metrics_reader_cidr_blocks
  task_role_arn                   = module.roles.task_role_arn
  execution_role_arn              = module.roles.execution_role_arn
  log_group_name                  = module.observability.log_group_name
  container_insights              = var.container_insights
  rollback_alarm_names            = module.observability.rollback_alarm_names
  wait_for_steady_state           = var.wait_for_steady_state
  tags                            = var.tags
}

module "scheduled_jobs" {
  source = "./modules/scheduled-jobs"
  count  = var.jobs_run_in == "scheduled_tasks" ? 1 : 0

  name                   = local.regional_name
  schedules              = var.job_schedules
  running                = local.serves
  cluster_arn            = module.service.cluster_arn
  cluster_name           = module.service.cluster_name
  task_definition_family = module.service.task_definition_family
  container_name         = module.service.container_name
  subnet_ids             = local.network.task_subnet_ids
  security_group_id      = module.service.security_group_id
  assign_public_ip       = local.network.tasks_need_public_addresses
  role_arns              = [module.roles.task_role_arn, module.roles.execution_role_arn]
  tags                   = var.tags
}

module "deploy_role" {
  source = "./modules/deploy-role"
  count  = var.github_deployments == null ? 0 : 1

  name                   = local.regional_name
  repository             = var.github_deployments.repository
  environment            = var.github_deployments.environment
  oidc_provider_arn      = var.github_deployments.oidc_provider_arn
  repository_arn         = local.repository_arn
  cluster_name           = module.service.cluster_name
  service_name           = module.service.service_name
  task_definition_family = module.service.task_definition_family
  role_arns              = [module.roles.task_role_arn, module.roles.execution_role_arn]
  tags                   = var.tags
}

module "user_pool" {
  source = "./modules/user-pool"
  count  = var.user_pool == null ? 0 : 1

  name                   = var.name
  domain_prefix          = var.user_pool.domain_prefix
  scope_prefix           = var.user_pool.scope_prefix
  token_validity_minutes = var.user_pool.token_validity_minutes
  deletion_protection    = var.deletion_protection
  tags                   = var.tags
}

module "observability" {
  source = "./modules/observability"

  name                     = var.name
  log_retention_days       = var.log_retention_days
  kms_key_arn              = var.kms_key_arn
  saved_queries            = var.saved_queries
  alarms                   = var.alarms
  alarm_topic_arn          = var.alarm_topic_arn
  alarm_email_addresses    = var.alarm_email_addresses
  alarm_thresholds         = var.alarm_thresholds
  dashboard                = var.dashboard
  load_balancer_arn_suffix = module.load_balancer.arn_suffix
  target_group_arn_suffix  = module.load_balancer.target_group_arn_suffix
  # By name and not from the service, which is made after its log group and alarms.
  cluster_name                = var.name
  service_name                = var.name
  serves                      = local.serves
  table_name                  = var.table_name
  index_names                 = [var.index_names.status, var.index_names.track, var.index_names.idempotency]
  web_acl_name                = one(module.firewall[*].web_acl_name)
  failed_schedules_queue_name = one(module.scheduled_jobs[*].failed_queue_name)
  tags                        = var.tags
}
