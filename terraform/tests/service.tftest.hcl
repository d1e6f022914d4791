# The task, how it is deployed, and how many there are.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  name                            = "broker"
  vpc_id                          = "vpc-1"
  subnet_ids                      = ["subnet-1", "subnet-2"]
  assign_public_ip                = false
  image                           = "registry.example/broker:1.0.0"
  cpu_architecture                = "ARM64"
  cpu                             = 512
  memory                          = 1024
  fargate_spot                    = false
  container_port                  = 8080
  metrics_port                    = null
  container_health_check          = null
  environment                     = { ROLE = "all", DDB_TABLE_NAME = "SandboxPool" }
  environment_secrets             = { CSP_API_TOKEN = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:csp-cccccc" }
  minimum_tasks                   = 2
  maximum_tasks                   = 6
  target_cpu_percent              = 50
  target_requests_per_task        = 6000
  class_times                     = {}
  stop_timeout_seconds            = 60
  load_balancer_security_group_id = "sg-1"
  target_group_arn                = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/broker/0a1b"
  request_count_resource_label    = "app/broker/0a1b/targetgroup/broker/0a1b"
  metrics_reader_cidr_blocks      = []
  task_role_arn                   = "arn:aws:iam::123456789012:role/broker-task"
  execution_role_arn              = "arn:aws:iam::123456789012:role/broker-execution"
  log_group_name                  = "/broker/broker"
  container_insights              = "disabled"
  rollback_alarm_names            = []
  wait_for_steady_state           = false
  tags                            = { team = "labs" }
}

run "a_bad_deployment_is_rolled_back_and_takes_no_task_away" {
  command = plan

  module {
    source = "./modules/service"
  }

  assert {
    condition     = aws_ecs_service.this.deployment_circuit_breaker[0].enable && aws_ecs_service.this.deployment_circuit_breaker[0].rollback
    error_message = "A bad deployment is not rolled back."
  }

  assert {
    condition     = aws_ecs_service.this.deployment_minimum_healthy_percent == 100 && aws_ecs_service.this.deployment_maximum_percent == 200
    error_message = "A deployment stops tasks before their successors are ready."
  }
}

run "alarms_roll_back_too" {
  command = plan

  module {
    source = "./modules/service"
  }

  variables {
    rollback_alarm_names = ["broker-requests-fail"]
  }

  assert {
    condition     = aws_ecs_service.this.alarms[0].rollback && aws_ecs_service.this.alarms[0].alarm_names == toset(["broker-requests-fail"])
    error_message = "An alarm during a deployment changes nothing."
  }
}

run "the_revision_before_stays_to_go_back_to" {
  command = plan

  module {
    source = "./modules/service"
  }

  assert {
    condition     = aws_ecs_task_definition.this.skip_destroy == true
    error_message = "Terraform takes the revision away that ECS goes back to."
  }
}

run "the_container_cannot_write_and_has_time_to_stop" {
  command = plan

  module {
    source = "./modules/service"
  }

  assert {
    condition     = jsondecode(aws_ecs_task_definition.this.container_definitions)[0].readonlyRootFilesystem && jsondecode(aws_ecs_task_definition.this.container_definitions)[0].linuxParameters.capabilities.drop == ["ALL"]
    error_message = "The container may do more than it needs."
  }

  assert {
    condition     = jsondecode(aws_ecs_task_definition.this.container_definitions)[0].stopTimeout == 60
    error_message = "The container is killed at another time than it is told."
  }

  assert {
    condition     = aws_ecs_task_definition.this.runtime_platform[0].cpu_architecture == "ARM64"
    error_message = "The task does not run on the architecture of its image."
  }
}

run "settings_and_secrets_reach_the_container" {
  command = plan

  module {
    source = "./modules/service"
  }

  assert {
    condition     = jsondecode(aws_ecs_task_definition.this.container_definitions)[0].environment == [{ name = "DDB_TABLE_NAME", value = "SandboxPool" }, { name = "ROLE", value = "all" }]
    error_message = "The environment is not the one that was given."
  }

  assert {
    condition     = jsondecode(aws_ecs_task_definition.this.container_definitions)[0].secrets == [{ name = "CSP_API_TOKEN", valueFrom = var.environment_secrets.CSP_API_TOKEN }]
    error_message = "The secrets are not those that were given."
  }

  assert {
    condition     = !can(jsondecode(aws_ecs_task_definition.this.container_definitions)[0].healthCheck)
    error_message = "There is a health check although nobody asked for it."
  }
}

run "a_health_check_of_the_container" {
  command = plan

  module {
    source = "./modules/service"
  }

  variables {
    container_health_check = ["CMD", "node", "-e", "process.exit(0)"]
  }

  assert {
    condition     = jsonencode(jsondecode(aws_ecs_task_definition.this.container_definitions)[0].healthCheck.command) == jsonencode(var.container_health_check)
    error_message = "The health check is not the one that was given."
  }
}

run "a_health_check_without_command_is_refused" {
  command = plan

  module {
    source = "./modules/service"
  }

  variables {
    container_health_check = ["node"]
  }

  expect_failures = [var.container_health_check]
}

run "scaling_by_cpu_and_by_requests" {
  command = plan

  module {
    source = "./modules/service"
  }

  assert {
    condition     = aws_appautoscaling_target.this.min_capacity == 2 && aws_appautoscaling_target.this.max_capacity == 6
    error_message = "The service does not scale between the numbers that were given."
  }

  assert {
    condition = toset([for policy in concat(aws_appautoscaling_policy.cpu, aws_appautoscaling_policy.requests) :
      "${policy.target_tracking_scaling_policy_configuration[0].predefined_metric_specification[0].predefined_metric_type} ${policy.target_tracking_scaling_policy_configuration[0].target_value}"
    ]) == toset(["ECSServiceAverageCPUUtilization 50", "ALBRequestCountPerTarget 6000"])
    error_message = "The service does not scale by CPU and by requests."
  }
}

run "a_fixed_number_does_not_scale" {
  command = plan

  module {
    source = "./modules/service"
  }

  variables {
    maximum_tasks = 2
  }

  assert {
    condition     = length(aws_appautoscaling_policy.cpu) == 0 && length(aws_appautoscaling_policy.requests) == 0
    error_message = "A fixed number of tasks scales."
  }
}

run "a_class_has_its_tasks_before_it_starts_and_gives_them_back" {
  command = plan

  module {
    source = "./modules/service"
  }

  variables {
    class_times = {
      monday = { begins = "cron(45 8 ? * MON *)", ends = "cron(0 10 ? * MON *)", timezone = "Europe/Berlin", minimum_tasks = 8 }
    }
  }

  assert {
    condition     = aws_appautoscaling_scheduled_action.class["monday-begins"].scalable_target_action[0].min_capacity == "8" && aws_appautoscaling_scheduled_action.class["monday-begins"].scalable_target_action[0].max_capacity == "8"
    error_message = "The class does not get its tasks, although they are more than the maximum outside of classes."
  }

  assert {
    condition     = aws_appautoscaling_scheduled_action.class["monday-begins"].schedule == "cron(45 8 ? * MON *)" && aws_appautoscaling_scheduled_action.class["monday-begins"].timezone == "Europe/Berlin"
    error_message = "The class begins at another time."
  }

  assert {
    condition     = aws_appautoscaling_scheduled_action.class["monday-ends"].scalable_target_action[0].min_capacity == "2" && aws_appautoscaling_scheduled_action.class["monday-ends"].scalable_target_action[0].max_capacity == "6"
    error_message = "After the class its tasks stay."
  }
}

run "a_class_with_fewer_tasks_than_usual_is_refused" {
  command = plan

  module {
    source = "./modules/service"
  }

  variables {
    class_times = {
      monday = { begins = "cron(45 8 ? * MON *)", ends = "cron(0 10 ? * MON *)", minimum_tasks = 1 }
    }
  }

  expect_failures = [var.class_times]
}

run "a_class_at_no_time_is_refused" {
  command = plan

  module {
    source = "./modules/service"
  }

  variables {
    class_times = {
      monday = { begins = "Monday, 9", ends = "cron(0 10 ? * MON *)", minimum_tasks = 8 }
    }
  }

  expect_failures = [var.class_times]
}

run "a_service_that_stands_still" {
  command = plan

  module {
    source = "./modules/service"
  }

  variables {
    minimum_tasks = 0
    maximum_tasks = 0
  }

  assert {
    condition     = aws_ecs_service.this.desired_count == 0 && aws_appautoscaling_target.this.max_capacity == 0
    error_message = "A service that stands still has tasks."
  }
}

run "less_at_most_than_at_least_is_refused" {
  command = plan

  module {
    source = "./modules/service"
  }

  variables {
    maximum_tasks = 1
  }

  expect_failures = [var.maximum_tasks]
}

run "a_size_that_fargate_does_not_sell_is_refused" {
  command = plan

  module {
    source = "./modules/service"
  }

  variables {
    cpu    = 1024
    memory = 1024
  }

  expect_failures = [var.memory]
}

run "the_smallest_size" {
  command = plan

  module {
    source = "./modules/service"
  }

  variables {
    cpu          = 256
    memory       = 512
    fargate_spot = true
  }

  assert {
    condition     = [for strategy in aws_ecs_service.this.capacity_provider_strategy : strategy.capacity_provider] == ["FARGATE_SPOT"]
    error_message = "The tasks do not run on spare capacity."
  }
}

run "only_the_load_balancer_reaches_the_tasks" {
  command = plan

  module {
    source = "./modules/service"
  }

  assert {
    condition     = aws_vpc_security_group_ingress_rule.tasks_from_load_balancer.referenced_security_group_id == "sg-1" && aws_vpc_security_group_ingress_rule.tasks_from_load_balancer.from_port == 8080 && aws_vpc_security_group_ingress_rule.tasks_from_load_balancer.to_port == 8080
    error_message = "More than the load balancer's way to the port is open."
  }

  assert {
    condition     = length(aws_vpc_security_group_ingress_rule.tasks_from_metrics_readers) == 0
    error_message = "Somebody else reaches the tasks."
  }

  assert {
    condition     = aws_vpc_security_group_egress_rule.tasks_to_https.from_port == 443 && aws_vpc_security_group_egress_rule.tasks_to_https.to_port == 443
    error_message = "Tasks call other ports than HTTPS."
  }
}

run "metrics_are_read_on_their_own_port_by_those_named" {
  command = plan

  module {
    source = "./modules/service"
  }

  variables {
    metrics_port               = 9464
    metrics_reader_cidr_blocks = ["10.80.0.0/16"]
  }

  assert {
    condition     = [for rule in aws_vpc_security_group_ingress_rule.tasks_from_metrics_readers : "${rule.cidr_ipv4} ${rule.from_port}-${rule.to_port}"] == ["10.80.0.0/16 9464-9464"]
    error_message = "Metrics are open to others, or on another port."
  }

  assert {
    condition     = [for mapping in jsondecode(aws_ecs_task_definition.this.container_definitions)[0].portMappings : mapping.containerPort] == [8080, 9464]
    error_message = "The container does not show both of its ports."
  }
}

run "a_stop_longer_than_fargate_allows_is_refused" {
  command = plan

  module {
    source = "./modules/service"
  }

  variables {
    stop_timeout_seconds = 121
  }

  expect_failures = [var.stop_timeout_seconds]
}
