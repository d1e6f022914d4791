output "role_arn" {
  description = "Role that the workflow takes."
  value       = aws_iam_role.deploy.arn

  # Of use with its rights only.
  depends_on = [aws_iam_role_policy.deploy]
}

output "oidc_provider_arn" {
  description = "Identity provider that was made; null where there was one."
  value       = one(aws_iam_openid_connect_provider.github[*].arn)
}
