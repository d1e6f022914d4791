output "arns" {
  description = "ARNs of the secrets, by what they hold: broker_api_token, broker_admin_token, csp_api_token and, where asked for, niosxaas_password."
  value       = { for key, secret in aws_secretsmanager_secret.this : key => secret.arn }
}
