data "aws_region" "current" {}

locals {
  scopes = {
    allocate = "Take, read and give back sandboxes"
    admin    = "Operate the pool"
  }
}

resource "aws_cognito_user_pool" "this" {
  name                = var.name
  deletion_protection = var.deletion_protection ? "ACTIVE" : "INACTIVE"

  # Machines only: nobody signs up.
  admin_create_user_config {
    allow_admin_create_user_only = true
  }

  tags = var.tags
}

resource "aws_cognito_user_pool_domain" "this" {
  domain       = var.domain_prefix
  user_pool_id = aws_cognito_user_pool.this.id
}

resource "aws_cognito_resource_server" "this" {
  identifier   = var.scope_prefix
  name         = var.name
  user_pool_id = aws_cognito_user_pool.this.id

  dynamic "scope" {
    for_each = local.scopes

    content {
      scope_name        = scope.key
      scope_description = scope.value
    }
  }
}

# One client a scope: who may allocate may not operate, nor the reverse.
resource "aws_cognito_user_pool_client" "this" {
  for_each = local.scopes

  name         = "${var.name}-${each.key}"
  user_pool_id = aws_cognito_user_pool.this.id

  generate_secret                      = true
  allowed_oauth_flows_user_pool_client = true
  allowed_oauth_flows                  = ["client_credentials"]
  allowed_oauth_scopes                 = ["${aws_cognito_resource_server.this.identifier}/${each.key}"]
  enable_token_revocation              = true

  access_token_validity = var.token_validity_minutes

  token_validity_units {
    access_token = "minutes"
  }
}
