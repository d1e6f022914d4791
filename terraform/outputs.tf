output "url" {
  description = "Address of the API: the name of domain, or else of the load balancer, for which the certificate must be made."
  value       = "https://${try(var.domain.name, null) != null ? var.domain.name : module.load_balancer.dns_name}${var.api_base_path}"
}

output "load_balancer_dns_name" {
  description = "Name of the load balancer in the DNS, for a CNAME or alias record of your own."
  value       = module.load_balancer.dns_name
}

output "load_balancer_zone_id" {
  description = "Route 53 zone of that name, for an alias record of your own."
  value       = module.load_balancer.zone_id
}

output "access_log_bucket" {
  description = "Bucket of the access logs; null where none are written."
  value       = module.load_balancer.access_log_bucket
}

output "vpc_id" {
  description = "VPC of the broker."
  value       = local.network.vpc_id
}

output "nat_addresses" {
  description = "Public addresses from which the CSP sees the broker; empty where tasks have addresses of their own."
  value       = try(module.network[0].nat_addresses, [])
}

output "table_name" {
  description = "Name of the table."
  value       = module.table.name
}

output "table_arn" {
  description = "ARN of the table in this region; replica_of of an installation for recovery."
  value       = module.table.arn
}

output "repository_url" {
  description = "Address to push images to; null where image names one elsewhere."
  value       = one(module.registry[*].repository_url)
}

output "secret_arns" {
  description = "Secrets by what they hold: broker_api_token, broker_admin_token, csp_api_token and, where asked for, niosxaas_password."
  value       = local.secret_arns
}

output "cluster_name" {
  description = "ECS cluster."
  value       = module.service.cluster_name
}

output "service_name" {
  description = "ECS service."
  value       = module.service.service_name
}

output "task_definition_arn" {
  description = "Task definition with its revision, for one-off tasks such as `jobs run sync`."
  value       = module.service.task_definition_arn
}

output "task_security_group_id" {
  description = "Security group of the tasks."
  value       = module.service.security_group_id
}

output "task_role_arn" {
  description = "Role of the broker while it runs."
  value       = module.roles.task_role_arn
}

output "execution_role_arn" {
  description = "Role with which ECS starts the tasks."
  value       = module.roles.execution_role_arn
}

output "deploy_role_arn" {
  description = "Role that the workflow of github_deployments takes; null without one."
  value       = one(module.deploy_role[*].role_arn)
}

output "oidc_provider_arn" {
  description = "Identity provider of GitHub that was made, for the account's next installation (github_deployments.oidc_provider_arn); null where there was one."
  value       = one(module.deploy_role[*].oidc_provider_arn)
}

output "schedule_names" {
  description = "Schedules by job; empty where jobs run in the service."
  value       = try(module.scheduled_jobs[0].schedule_names, {})
}

output "log_group_name" {
  description = "Log group of the broker."
  value       = module.observability.log_group_name
}

output "saved_query_names" {
  description = "Saved queries of the logs."
  value       = module.observability.saved_query_names
}

output "alarm_topic_arn" {
  description = "Topic that alarms go to; null without alarms."
  value       = module.observability.alarm_topic_arn
}

output "alarm_names" {
  description = "Names of the alarms."
  value       = module.observability.alarm_names
}

output "dashboard_name" {
  description = "Name of the dashboard; null without one."
  value       = module.observability.dashboard_name
}

output "user_pool" {
  description = "User pool: its id, its clients' ids and its scopes, by allocate and admin, and where tokens are issued; null without one."
  value = one([for pool in module.user_pool : {
    id         = pool.user_pool_id
    client_ids = pool.client_ids
    scopes     = pool.scopes
    token_url  = pool.token_url
  }])
}

output "user_pool_client_secrets" {
  description = "Secrets of the user pool's clients, by scope; null without a user pool. They are in the state."
  value       = one(module.user_pool[*].client_secrets)
  sensitive   = true
}
