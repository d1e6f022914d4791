# Who may do what, and nothing else.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  name                      = "broker"
  table_arn                 = "arn:aws:dynamodb:eu-central-1:123456789012:table/SandboxPool"
  index_arns                = ["arn:aws:dynamodb:eu-central-1:123456789012:table/SandboxPool/index/StatusIndex"]
  secret_arns_read_by_tasks = ["arn:aws:secretsmanager:eu-central-1:123456789012:secret:api-aaaaaa"]
  secret_arns_read_at_start = []
  repository_arn            = "arn:aws:ecr:eu-central-1:123456789012:repository/broker"
  log_group_arn             = "arn:aws:logs:eu-central-1:123456789012:log-group:/broker/broker"
  kms_key_arn               = null
  tags                      = {}
}

run "the_broker_may_do_exactly_what_is_listed_on_exactly_its_own" {
  command = plan

  module {
    source = "./modules/roles"
  }

  assert {
    condition = jsonencode(jsondecode(aws_iam_role_policy.task.policy).Statement) == jsonencode([
      { Sid = "Table", Effect = "Allow", Action = jsondecode(file("modules/roles/task-actions.json")).table, Resource = [var.table_arn] },
      { Sid = "Indexes", Effect = "Allow", Action = jsondecode(file("modules/roles/task-actions.json")).index, Resource = var.index_arns },
      { Sid = "Secrets", Effect = "Allow", Action = jsondecode(file("modules/roles/task-actions.json")).secret, Resource = var.secret_arns_read_by_tasks },
    ])
    error_message = "The task role may do more or less than task-actions.json says, or on something else."
  }
}

run "no_role_has_a_wildcard_but_to_sign_in_to_the_registry" {
  command = plan

  module {
    source = "./modules/roles"
  }

  variables {
    kms_key_arn               = "arn:aws:kms:eu-central-1:123456789012:key/0a1b"
    secret_arns_read_at_start = ["arn:aws:secretsmanager:eu-central-1:123456789012:secret:csp-cccccc"]
  }

  assert {
    condition = alltrue([for statement in concat(jsondecode(aws_iam_role_policy.task.policy).Statement, jsondecode(aws_iam_role_policy.execution.policy).Statement) :
      statement.Sid == "Registry" ? statement.Action == ["ecr:GetAuthorizationToken"] : !contains(statement.Resource, "*")
    ])
    error_message = "A role may do something on everything."
  }

  assert {
    condition = alltrue(flatten([for statement in concat(jsondecode(aws_iam_role_policy.task.policy).Statement, jsondecode(aws_iam_role_policy.execution.policy).Statement) :
      [for action in statement.Action : !strcontains(action, "*")]
    ]))
    error_message = "A role may do a whole family of things."
  }
}

run "without_secrets_nobody_reads_any" {
  command = plan

  module {
    source = "./modules/roles"
  }

  variables {
    secret_arns_read_by_tasks = []
  }

  assert {
    condition     = !strcontains(aws_iam_role_policy.task.policy, "secretsmanager") && !strcontains(aws_iam_role_policy.execution.policy, "secretsmanager")
    error_message = "A role may read secrets that it does not need."
  }
}

run "ecs_reads_only_the_secrets_that_it_delivers" {
  command = plan

  module {
    source = "./modules/roles"
  }

  variables {
    secret_arns_read_by_tasks = []
    secret_arns_read_at_start = ["arn:aws:secretsmanager:eu-central-1:123456789012:secret:csp-cccccc"]
  }

  assert {
    condition     = jsonencode([for statement in jsondecode(aws_iam_role_policy.execution.policy).Statement : statement.Resource if statement.Sid == "Secrets"]) == jsonencode([var.secret_arns_read_at_start])
    error_message = "ECS reads other secrets than those that it delivers."
  }
}

run "a_key_is_used_by_way_of_its_services_only" {
  command = plan

  module {
    source = "./modules/roles"
  }

  variables {
    kms_key_arn = "arn:aws:kms:eu-central-1:123456789012:key/0a1b"
  }

  assert {
    condition = one([for statement in jsondecode(aws_iam_role_policy.task.policy).Statement : statement if statement.Sid == "Key"]) == {
      Sid       = "Key"
      Effect    = "Allow"
      Action    = ["kms:Decrypt"]
      Resource  = [var.kms_key_arn]
      Condition = { StringEquals = { "kms:ViaService" = ["dynamodb.eu-central-1.amazonaws.com", "secretsmanager.eu-central-1.amazonaws.com"] } }
    }
    error_message = "The broker may use the key for more than its table and its secrets."
  }

  assert {
    condition     = !strcontains(aws_iam_role_policy.execution.policy, "kms:")
    error_message = "ECS may use the key although it delivers no secret."
  }
}

run "only_tasks_of_this_account_take_the_roles" {
  command = plan

  module {
    source = "./modules/roles"
  }

  assert {
    condition = alltrue([for role in [aws_iam_role.task, aws_iam_role.execution] : jsondecode(role.assume_role_policy).Statement == [{
      Effect    = "Allow"
      Principal = { Service = "ecs-tasks.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = {
        StringEquals = { "aws:SourceAccount" = "123456789012" }
        ArnLike      = { "aws:SourceArn" = "arn:aws:ecs:eu-central-1:123456789012:*" }
      }
    }]])
    error_message = "Somebody else can take a role."
  }
}

run "a_public_image_needs_no_right" {
  command = plan

  module {
    source = "./modules/roles"
  }

  variables {
    repository_arn = null
  }

  assert {
    condition     = !strcontains(aws_iam_role_policy.execution.policy, "ecr:")
    error_message = "ECS may pull from a registry that it does not need."
  }
}
