data "aws_region" "current" {}

locals {
  container = {
    name      = var.name
    image     = var.image
    essential = true

    portMappings = [for port in compact([var.container_port, var.metrics_port]) :
      { containerPort = tonumber(port), hostPort = tonumber(port), protocol = "tcp" }
    ]

    # Sorted by name, as ECS stores them.
    environment = [for name in sort(keys(var.environment)) : { name = name, value = var.environment[name] }]
    secrets     = [for name in sort(keys(var.environment_secrets)) : { name = name, valueFrom = var.environment_secrets[name] }]

    readonlyRootFilesystem = true
    stopTimeout            = var.stop_timeout_seconds
    # Reaps what the program leaves behind and passes SIGTERM on.
    linuxParameters = { initProcessEnabled = true, capabilities = { add = [], drop = ["ALL"] } }

    logConfiguration = {
      logDriver = "awslogs"
      options = {
        awslogs-group         = var.log_group_name
        awslogs-region        = data.aws_region.current.id
        awslogs-stream-prefix = var.name
        # A full buffer drops lines instead of stopping the program.
        mode            = "non-blocking"
        max-buffer-size = "4m"
      }
    }

    mountPoints    = []
    systemControls = []
    volumesFrom    = []
  }

  health_check = var.container_health_check == null ? {} : {
    healthCheck = { command = var.container_health_check, interval = 10, timeout = 5, retries = 3, startPeriod = 15 }
  }
}

resource "aws_ecs_cluster" "this" {
  name = var.name

  setting {
    name  = "containerInsights"
    value = var.container_insights
  }

  tags = var.tags
}

resource "aws_ecs_cluster_capacity_providers" "this" {
  cluster_name       = aws_ecs_cluster.this.name
  capacity_providers = ["FARGATE", "FARGATE_SPOT"]
}

resource "aws_ecs_task_definition" "this" {
  family                   = var.name
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = var.cpu
  memory                   = var.memory
  task_role_arn            = var.task_role_arn
  execution_role_arn       = var.execution_role_arn
  container_definitions    = jsonencode([merge(local.container, local.health_check)])

  # Going back needs the revision before: ECS does not start what was deregistered.
  skip_destroy = true

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = var.cpu_architecture
  }

  tags = var.tags
}

resource "aws_ecs_service" "this" {
  name            = var.name
  cluster         = aws_ecs_cluster.this.arn
  task_definition = aws_ecs_task_definition.this.arn
  desired_count   = var.minimum_tasks

  availability_zone_rebalancing      = "ENABLED"
  deployment_minimum_healthy_percent = 100
  deployment_maximum_percent         = 200
  health_check_grace_period_seconds  = 30
  enable_ecs_managed_tags            = true
  propagate_tags                     = "SERVICE"
  wait_for_steady_state              = var.wait_for_steady_state

  # Without it the provider replaces the whole service, and so stops it, when fargate_spot changes.
  force_new_deployment = true

  capacity_provider_strategy {
    capacity_provider = var.fargate_spot ? "FARGATE_SPOT" : "FARGATE"
    base              = 0
    weight            = 1
  }

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  dynamic "alarms" {
    for_each = length(var.rollback_alarm_names) > 0 ? [var.rollback_alarm_names] : []

    content {
      enable      = true
      rollback    = true
      alarm_names = alarms.value
    }
  }

  network_configuration {
    subnets          = var.subnet_ids
    security_groups  = [aws_security_group.tasks.id]
    assign_public_ip = var.assign_public_ip
  }

  load_balancer {
    target_group_arn = var.target_group_arn
    container_name   = var.name
    container_port   = var.container_port
  }

  tags = var.tags

  lifecycle {
    # Belongs to automatic scaling once the service is there (aws_appautoscaling_target).
    ignore_changes = [desired_count]
  }

  depends_on = [aws_ecs_cluster_capacity_providers.this]
}
