variable "name" {
  description = "Name of the cluster, the service, the task definition and the container."
  type        = string
}

variable "vpc_id" {
  description = "VPC of the tasks."
  type        = string
}

variable "subnet_ids" {
  description = "Subnets of the tasks."
  type        = list(string)
}

variable "assign_public_ip" {
  description = "Whether the tasks get public addresses; without NAT gateway they need them."
  type        = bool
}

variable "image" {
  description = "Image with its tag or digest."
  type        = string
}

variable "cpu_architecture" {
  description = "ARM64 or X86_64; the image must be built for it."
  type        = string

  validation {
    condition     = contains(["ARM64", "X86_64"], var.cpu_architecture)
    error_message = "cpu_architecture must be ARM64 or X86_64."
  }
}

variable "cpu" {
  description = "CPU units of a task; 1,024 are one core."
  type        = number

  validation {
    condition     = contains([256, 512, 1024, 2048, 4096], var.cpu)
    error_message = "cpu must be 256, 512, 1024, 2048 or 4096."
  }
}

variable "memory" {
  description = "Memory of a task in MiB."
  type        = number

  # What Fargate sells: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html
  validation {
    condition = (
      var.cpu == 256 ? contains([512, 1024, 2048], var.memory) :
      var.memory % 1024 == 0 && var.memory >= { 512 = 1024, 1024 = 2048, 2048 = 4096, 4096 = 8192 }[tostring(var.cpu)] && var.memory <= { 512 = 4096, 1024 = 8192, 2048 = 16384, 4096 = 30720 }[tostring(var.cpu)]
    )
    error_message = "memory does not go with cpu: 256 takes 512, 1024 or 2048; 512 takes 1024 to 4096; 1024 takes 2048 to 8192; 2048 takes 4096 to 16384; 4096 takes 8192 to 30720, in steps of 1024."
  }
}

variable "fargate_spot" {
  description = "Whether tasks run on spare capacity, which AWS takes back at two minutes' notice."
  type        = bool
}

variable "container_port" {
  description = "Port on which the broker listens."
  type        = number
}

variable "metrics_port" {
  description = "Port of /metrics for metrics_reader_cidr_blocks; null where nobody reads it there."
  type        = number
}

variable "container_health_check" {
  description = "Command of the container's own health check, such as [\"CMD\", \"/path/to/node\", \"-e\", \"...\"]; null has none."
  type        = list(string)

  validation {
    condition     = var.container_health_check == null || try(contains(["CMD", "CMD-SHELL"], var.container_health_check[0]) && length(var.container_health_check) >= 2, false)
    error_message = "container_health_check must begin with CMD or CMD-SHELL and name a command."
  }
}

variable "environment" {
  description = "Environment of the container. No secrets: everyone who may read the task definition sees it."
  type        = map(string)
}

variable "environment_secrets" {
  description = "Variables that ECS fills from secrets when a task starts: what stands in valueFrom."
  type        = map(string)
}

variable "minimum_tasks" {
  description = "Tasks that run at least. 0 only together with maximum_tasks 0: the service stands still."
  type        = number

  validation {
    condition     = var.minimum_tasks >= 0 && floor(var.minimum_tasks) == var.minimum_tasks
    error_message = "minimum_tasks must be a whole number, at least 0."
  }
}

variable "maximum_tasks" {
  description = "Tasks that run at most; equal to minimum_tasks turns automatic scaling off."
  type        = number

  validation {
    condition     = var.maximum_tasks >= var.minimum_tasks && (var.minimum_tasks > 0 || var.maximum_tasks == 0)
    error_message = "maximum_tasks must not be below minimum_tasks; a service that stands still (0) cannot scale."
  }
}

variable "target_cpu_percent" {
  description = "CPU use that automatic scaling aims at."
  type        = number

  validation {
    condition     = var.target_cpu_percent >= 10 && var.target_cpu_percent <= 90
    error_message = "target_cpu_percent must be 10 to 90."
  }
}

variable "target_requests_per_task" {
  description = "Requests a minute and task that automatic scaling aims at."
  type        = number

  validation {
    condition     = var.target_requests_per_task >= 1
    error_message = "target_requests_per_task must be positive."
  }
}

variable "class_times" {
  description = "When classes start: more tasks from begins to ends, both \"cron(...)\" or \"at(...)\" in timezone. Times must not overlap: the end of one lowers the minimum for all, and so does an apply in the middle of a class."
  type = map(object({
    begins        = string
    ends          = string
    timezone      = optional(string, "UTC")
    minimum_tasks = number
    maximum_tasks = optional(number)
  }))

  validation {
    condition     = alltrue([for time in values(var.class_times) : can(regex("^(cron|at)\\(.+\\)$", time.begins)) && can(regex("^(cron|at)\\(.+\\)$", time.ends))])
    error_message = "class_times: begins and ends must be cron(...) or at(...)."
  }

  validation {
    condition     = alltrue([for time in values(var.class_times) : time.minimum_tasks >= var.minimum_tasks && coalesce(time.maximum_tasks, max(var.maximum_tasks, time.minimum_tasks)) >= time.minimum_tasks])
    error_message = "class_times: minimum_tasks must not be below the service's own, nor above its maximum_tasks."
  }

  validation {
    condition     = length(var.class_times) == 0 || var.maximum_tasks > 0
    error_message = "class_times: a service that stands still (maximum_tasks = 0) has no classes."
  }
}

variable "stop_timeout_seconds" {
  description = "Seconds from SIGTERM until a task is killed."
  type        = number

  validation {
    condition     = var.stop_timeout_seconds >= 10 && var.stop_timeout_seconds <= 120
    error_message = "stop_timeout_seconds must be 10 to 120, the most that Fargate allows."
  }
}

variable "load_balancer_security_group_id" {
  description = "Security group of the load balancer; the rules between it and the tasks are made here."
  type        = string
}

variable "target_group_arn" {
  description = "Target group that the tasks join."
  type        = string
}

variable "request_count_resource_label" {
  description = "Load balancer and target group whose requests are counted: their ARN suffixes, with a slash between them."
  type        = string
}

variable "metrics_reader_cidr_blocks" {
  description = "Addresses inside the VPC from which Prometheus reads /metrics of each task, past the load balancer."
  type        = list(string)
}

variable "task_role_arn" {
  description = "Role of the broker while it runs."
  type        = string
}

variable "execution_role_arn" {
  description = "Role with which ECS starts the tasks."
  type        = string
}

variable "log_group_name" {
  description = "Log group of the tasks."
  type        = string
}

variable "container_insights" {
  description = "\"disabled\", \"enabled\" or \"enhanced\"; the latter two are charged as custom metrics."
  type        = string

  validation {
    condition     = contains(["disabled", "enabled", "enhanced"], var.container_insights)
    error_message = "container_insights must be \"disabled\", \"enabled\" or \"enhanced\"."
  }
}

variable "rollback_alarm_names" {
  description = "Alarms that roll a deployment back when they go off during it."
  type        = list(string)
}

variable "wait_for_steady_state" {
  description = "Whether an apply waits until the new tasks run, and fails if they do not."
  type        = bool
}

variable "tags" {
  description = "Tags of everything that takes tags."
  type        = map(string)
}
