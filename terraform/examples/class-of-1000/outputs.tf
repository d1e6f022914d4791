output "url" {
  description = "Address of the API."
  value       = module.broker.url
}

output "repository_url" {
  description = "Address to push the image to."
  value       = module.broker.repository_url
}

output "secret_arns" {
  description = "Where the tokens are, and where the CSP's token belongs."
  value       = module.broker.secret_arns
}

output "nat_addresses" {
  description = "Addresses that the CSP sees."
  value       = module.broker.nat_addresses
}

output "cluster_name" {
  description = "ECS cluster."
  value       = module.broker.cluster_name
}

output "service_name" {
  description = "ECS service."
  value       = module.broker.service_name
}

output "deploy_role_arn" {
  description = "Role of the GitHub workflow; null without github_deployments."
  value       = module.broker.deploy_role_arn
}
