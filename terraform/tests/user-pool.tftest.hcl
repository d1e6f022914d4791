# Tokens for machines.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  name                   = "broker"
  domain_prefix          = "labs-broker"
  scope_prefix           = "sandbox-broker"
  token_validity_minutes = 60
  deletion_protection    = true
  tags                   = {}
}

run "who_may_allocate_may_not_operate" {
  command = plan

  module {
    source = "./modules/user-pool"
  }

  assert {
    condition = { for scope, client in aws_cognito_user_pool_client.this : scope => join(" ", client.allowed_oauth_scopes) } == {
      allocate = "sandbox-broker/allocate"
      admin    = "sandbox-broker/admin"
    }
    error_message = "A client has another scope than its own."
  }

  assert {
    condition     = alltrue([for client in aws_cognito_user_pool_client.this : client.generate_secret && client.allowed_oauth_flows == toset(["client_credentials"])])
    error_message = "A client can sign in by another way than its secret."
  }

  assert {
    condition     = aws_cognito_user_pool.this.admin_create_user_config[0].allow_admin_create_user_only && aws_cognito_user_pool.this.deletion_protection == "ACTIVE"
    error_message = "Anybody can sign up, or the pool can be deleted by accident."
  }
}

run "a_prefix_with_a_space_is_refused" {
  command = plan

  module {
    source = "./modules/user-pool"
  }

  variables {
    scope_prefix = "sandbox broker"
  }

  expect_failures = [var.scope_prefix]
}

run "a_prefix_of_ones_own" {
  command = plan

  module {
    source = "./modules/user-pool"
  }

  variables {
    scope_prefix = "labs"
  }

  assert {
    condition     = output.scopes == { allocate = "labs/allocate", admin = "labs/admin" } && aws_cognito_resource_server.this.identifier == "labs"
    error_message = "The scopes have another prefix."
  }
}

run "a_domain_that_cognito_would_not_take_is_refused" {
  command = plan

  module {
    source = "./modules/user-pool"
  }

  variables {
    domain_prefix = "my-cognito"
  }

  expect_failures = [var.domain_prefix]
}
