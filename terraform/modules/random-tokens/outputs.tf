output "broker_api_token" {
  description = "Random token for the track routes, another one each time; in no plan and in no state."
  value       = ephemeral.aws_secretsmanager_random_password.token["broker_api_token"].random_password
  ephemeral   = true
  sensitive   = true
}

output "broker_admin_token" {
  description = "Random token for the admin routes, another one each time; in no plan and in no state."
  value       = ephemeral.aws_secretsmanager_random_password.token["broker_admin_token"].random_password
  ephemeral   = true
  sensitive   = true
}
