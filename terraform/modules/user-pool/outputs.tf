output "user_pool_id" {
  description = "Id of the user pool."
  value       = aws_cognito_user_pool.this.id
}

output "issuer_url" {
  description = "Issuer of the access tokens."
  value       = "https://cognito-idp.${data.aws_region.current.id}.amazonaws.com/${aws_cognito_user_pool.this.id}"
}

output "client_ids" {
  description = "Ids of the clients, by scope: allocate and admin."
  value       = { for scope, client in aws_cognito_user_pool_client.this : scope => client.id }
}

output "client_secrets" {
  description = "Secrets of the clients, by scope. They are in the state."
  value       = { for scope, client in aws_cognito_user_pool_client.this : scope => client.client_secret }
  sensitive   = true
}

output "scopes" {
  description = "Full names of the scopes: allocate and admin."
  value       = { for scope, _ in local.scopes : scope => "${var.scope_prefix}/${scope}" }
}

output "token_url" {
  description = "Address that issues access tokens for the client credentials."
  value       = "https://${aws_cognito_user_pool_domain.this.domain}.auth.${data.aws_region.current.id}.amazoncognito.com/oauth2/token"
}
