# The role of the pipeline.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  name                   = "broker"
  repository             = "labs/sandbox-broker"
  environment            = "production"
  oidc_provider_arn      = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"
  repository_arn         = "arn:aws:ecr:eu-central-1:123456789012:repository/broker"
  cluster_name           = "broker"
  service_name           = "broker"
  task_definition_family = "broker"
  role_arns              = ["arn:aws:iam::123456789012:role/broker-task", "arn:aws:iam::123456789012:role/broker-execution"]
  tags                   = {}
}

run "only_one_environment_of_one_repository_takes_it" {
  command = plan

  module {
    source = "./modules/deploy-role"
  }

  assert {
    condition = jsonencode(jsondecode(aws_iam_role.deploy.assume_role_policy).Statement) == jsonencode([{
      Effect    = "Allow"
      Principal = { Federated = var.oidc_provider_arn }
      Action    = "sts:AssumeRoleWithWebIdentity"
      Condition = {
        StringEquals = {
          "token.actions.githubusercontent.com:aud" = "sts.amazonaws.com"
          "token.actions.githubusercontent.com:sub" = "repo:labs/sandbox-broker:environment:production"
        }
      }
    }])
    error_message = "Somebody else can deploy."
  }

  assert {
    condition     = length(aws_iam_openid_connect_provider.github) == 0
    error_message = "A second identity provider is made, which AWS refuses."
  }
}

run "the_identity_provider_is_made_where_there_is_none" {
  command = plan

  module {
    source = "./modules/deploy-role"
  }

  override_resource {
    target          = aws_iam_openid_connect_provider.github
    override_during = plan
    values          = { arn = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com" }
  }

  variables {
    oidc_provider_arn = null
  }

  assert {
    condition     = aws_iam_openid_connect_provider.github[0].url == "https://token.actions.githubusercontent.com" && aws_iam_openid_connect_provider.github[0].client_id_list == toset(["sts.amazonaws.com"])
    error_message = "Tokens of GitHub's jobs are not believed."
  }
}

run "it_may_do_what_the_deployment_calls_and_nothing_else" {
  command = plan

  module {
    source = "./modules/deploy-role"
  }

  assert {
    condition = jsonencode({ for statement in jsondecode(aws_iam_role_policy.deploy.policy).Statement : statement.Sid => statement.Resource }) == jsonencode({
      SignInToRegistry  = ["*"]
      CopyImage         = [var.repository_arn]
      RollService       = ["arn:aws:ecs:eu-central-1:123456789012:service/broker/broker"]
      ChangeImage       = ["*"]
      TagTaskDefinition = ["arn:aws:ecs:eu-central-1:123456789012:task-definition/broker:*"]
      PassRoles         = var.role_arns
    })
    error_message = "The pipeline reaches more or less than its image and its service."
  }

  assert {
    condition = alltrue(flatten([for statement in jsondecode(aws_iam_role_policy.deploy.policy).Statement :
      [for action in statement.Action : !strcontains(action, "*")]
    ]))
    error_message = "The pipeline may do a whole family of things."
  }

  assert {
    condition     = one([for statement in jsondecode(aws_iam_role_policy.deploy.policy).Statement : statement.Condition if statement.Sid == "PassRoles"]) == { StringEquals = { "iam:PassedToService" = "ecs-tasks.amazonaws.com" } }
    error_message = "The pipeline can give the broker's roles to something else than tasks."
  }
}

run "without_a_repository_it_copies_no_image" {
  command = plan

  module {
    source = "./modules/deploy-role"
  }

  variables {
    repository_arn = null
  }

  assert {
    condition     = !strcontains(aws_iam_role_policy.deploy.policy, "ecr:")
    error_message = "The pipeline may write into a registry that it does not use."
  }
}

run "wildcards_are_refused" {
  command = plan

  module {
    source = "./modules/deploy-role"
  }

  variables {
    repository  = "labs/*"
    environment = "*"
  }

  expect_failures = [var.repository, var.environment]
}
