data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

data "aws_region" "current" {}

locals {
  # Everything that the broker may call, and nothing else. test/terraform/task-actions.test.ts holds it against the
  # calls in src/.
  actions = jsondecode(file("${path.module}/task-actions.json"))

  account   = data.aws_caller_identity.current.account_id
  partition = data.aws_partition.current.partition
  region    = data.aws_region.current.id

  # Only ECS, and only for tasks of this account and region.
  tasks_assume = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "ecs-tasks.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = {
        StringEquals = { "aws:SourceAccount" = local.account }
        ArnLike      = { "aws:SourceArn" = "arn:${local.partition}:ecs:${local.region}:${local.account}:*" }
      }
    }]
  })

  # With a key of the customer's its users need the key too, but only by way of the service that uses it.
  decrypt = { for user, services in { task = ["dynamodb", "secretsmanager"], execution = ["secretsmanager"] } : user => {
    Sid      = "Key"
    Effect   = "Allow"
    Action   = ["kms:Decrypt"]
    Resource = [var.kms_key_arn]
    Condition = {
      StringEquals = { "kms:ViaService" = [for service in services : "${service}.${local.region}.amazonaws.com"] }
    }
  } }

  task_policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [{ Sid = "Table", Effect = "Allow", Action = local.actions.table, Resource = [var.table_arn] }],
      [{ Sid = "Indexes", Effect = "Allow", Action = local.actions.index, Resource = var.index_arns }],
      [for secrets in [var.secret_arns_read_by_tasks] :
        { Sid = "Secrets", Effect = "Allow", Action = local.actions.secret, Resource = secrets } if length(secrets) > 0
      ],
      [for statement in [local.decrypt.task] : statement if var.kms_key_arn != null],
    )
  })

  image_actions = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]

  execution_policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [{
        Sid      = "Logs"
        Effect   = "Allow"
        Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
        Resource = ["${var.log_group_arn}:*"]
      }],
      [for repository in [var.repository_arn] :
        { Sid = "Image", Effect = "Allow", Action = local.image_actions, Resource = [repository] } if repository != null
      ],
      # Signing in to the registry is on no resource.
      [for repository in [var.repository_arn] :
        { Sid = "Registry", Effect = "Allow", Action = ["ecr:GetAuthorizationToken"], Resource = ["*"] } if repository != null
      ],
      [for secrets in [var.secret_arns_read_at_start] :
        { Sid = "Secrets", Effect = "Allow", Action = ["secretsmanager:GetSecretValue"], Resource = secrets } if length(secrets) > 0
      ],
      [for statement in [local.decrypt.execution] : statement if var.kms_key_arn != null && length(var.secret_arns_read_at_start) > 0],
    )
  })
}

# What the broker may do while it runs.
resource "aws_iam_role" "task" {
  name               = "${var.name}-task"
  description        = "What the broker may do while it runs"
  assume_role_policy = local.tasks_assume

  tags = var.tags
}

resource "aws_iam_role_policy" "task" {
  name   = "broker"
  role   = aws_iam_role.task.id
  policy = local.task_policy
}

# What ECS may do to start a task: pull its image, open its log, and put secrets into its environment.
resource "aws_iam_role" "execution" {
  name               = "${var.name}-execution"
  description        = "What ECS may do to start a task of the broker"
  assume_role_policy = local.tasks_assume

  tags = var.tags
}

resource "aws_iam_role_policy" "execution" {
  name   = "start"
  role   = aws_iam_role.execution.id
  policy = local.execution_policy
}
