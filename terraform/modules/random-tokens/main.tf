# Apart from the module "secrets", because Terraform cannot mock ephemeral resources: with one inside, nothing around
# it could be tested without AWS.
ephemeral "aws_secretsmanager_random_password" "token" {
  for_each = toset(["broker_api_token", "broker_admin_token"])

  password_length     = 48
  exclude_punctuation = true
  include_space       = false
}
