locals {
  secrets = merge(
    {
      broker_api_token   = "Token of the broker's track routes"
      broker_admin_token = "Token of the broker's admin routes"
      csp_api_token      = "Token with which the broker calls the CSP"
    },
    var.with_niosxaas ? { niosxaas_password = "Password of the NIOSXaaS clean-up" } : {},
  )
}

resource "aws_secretsmanager_secret" "this" {
  for_each = local.secrets

  name                    = "${var.name}/${replace(each.key, "_", "-")}"
  description             = each.value
  kms_key_id              = var.kms_key_arn
  recovery_window_in_days = var.recovery_window_days

  dynamic "replica" {
    for_each = var.replica_regions

    content {
      region = replica.value
    }
  }

  tags = var.tags
}

# Values are ephemeral and write-only: they are in no plan and in no state.
resource "aws_secretsmanager_secret_version" "broker_api_token" {
  count = var.broker_token_version > 0 ? 1 : 0

  secret_id                = aws_secretsmanager_secret.this["broker_api_token"].id
  secret_string_wo         = var.broker_api_token
  secret_string_wo_version = var.broker_token_version
}

resource "aws_secretsmanager_secret_version" "broker_admin_token" {
  count = var.broker_token_version > 0 ? 1 : 0

  secret_id                = aws_secretsmanager_secret.this["broker_admin_token"].id
  secret_string_wo         = var.broker_admin_token
  secret_string_wo_version = var.broker_token_version
}

resource "aws_secretsmanager_secret_version" "csp_api_token" {
  count = var.csp_api_token_version > 0 ? 1 : 0

  secret_id                = aws_secretsmanager_secret.this["csp_api_token"].id
  secret_string_wo         = var.csp_api_token
  secret_string_wo_version = var.csp_api_token_version
}
