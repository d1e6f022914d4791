variable "image_tag" {
  description = "Tag of the image in the repository that is made here. null: image names the image."
  type        = string
  default     = null

  validation {
    condition     = (var.image_tag == null) != (var.image == null)
    error_message = "Set one of image_tag and image."
  }

  validation {
    condition     = var.image_tag != "latest"
    error_message = "image_tag must name one build: \"latest\" cannot be rolled back."
  }
}

variable "image" {
  description = "Image in another repository, with its tag or digest. null: image_tag names one in the repository that is made here."
  type        = string
  default     = null

  validation {
    condition     = var.image == null || (can(regex("(@sha256:[0-9a-f]{64}|:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})$", var.image)) && !try(endswith(var.image, ":latest"), false))
    error_message = "image must end in a digest, or in a tag other than \"latest\"."
  }
}

variable "kept_images" {
  description = "Images that the repository keeps for roll-back."
  type        = number
  default     = 20
  nullable    = false
}

variable "cpu_architecture" {
  description = "ARM64 (a fifth cheaper) or X86_64; the image must be built for it."
  type        = string
  default     = "ARM64"
  nullable    = false
}

variable "task_cpu" {
  description = "CPU units of a task: 256, 512, 1024, 2048 or 4096; 1,024 are one core. The broker uses one core, and a little of a second."
  type        = number
  default     = 512
  nullable    = false
}

variable "task_memory" {
  description = "Memory of a task in MiB, in the sizes that Fargate sells with task_cpu."
  type        = number
  default     = 1024
  nullable    = false
}

variable "fargate_spot" {
  description = "Whether tasks run on spare capacity, for a third of the price, which AWS takes back at two minutes' notice."
  type        = bool
  default     = false
  nullable    = false
}

variable "minimum_tasks" {
  description = "Tasks that run at least. 2 survive the loss of one; 0, with maximum_tasks 0, is a service that stands still, such as one for recovery."
  type        = number
  default     = 2
  nullable    = false
}

variable "maximum_tasks" {
  description = "Tasks that automatic scaling may start; equal to minimum_tasks turns it off."
  type        = number
  default     = 2
  nullable    = false
}

variable "target_cpu_percent" {
  description = "CPU use that automatic scaling aims at."
  type        = number
  default     = 50
  nullable    = false
}

variable "target_requests_per_task" {
  description = "Requests a minute and task that automatic scaling aims at."
  type        = number
  default     = 6000
  nullable    = false
}

variable "class_times" {
  description = "When classes start, by a name of yours: from begins to ends, both \"cron(...)\" or \"at(...)\" in timezone, at least minimum_tasks run. Begin a quarter of an hour before the class. Times must not overlap: the end of one lowers the minimum for all, and so does an apply in the middle of a class."
  type = map(object({
    begins        = string
    ends          = string
    timezone      = optional(string, "UTC")
    minimum_tasks = number
    maximum_tasks = optional(number)
  }))
  default  = {}
  nullable = false
}

variable "container_health_check" {
  description = "Command of a health check inside the container, such as [\"CMD\", \"node\", \"/app/dist/cli/healthcheck.js\"]. null has none: the load balancer checks /readyz."
  type        = list(string)
  default     = null
}

variable "deregistration_delay_seconds" {
  description = "Seconds that a leaving task has to finish its requests before the load balancer gives them up."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = var.deregistration_delay_seconds >= 5 && var.deregistration_delay_seconds < var.stop_timeout_seconds
    error_message = "deregistration_delay_seconds must be 5 or more, and less than stop_timeout_seconds."
  }
}

variable "stop_timeout_seconds" {
  description = "Seconds from SIGTERM until a task is killed, up to 120: SHUTDOWN_DELAY_MS (5 seconds unless environment has another) and 10 seconds more at least."
  type        = number
  default     = 60
  nullable    = false

  # Five seconds for what is in flight, and the stop ends five seconds before the kill.
  validation {
    condition     = try(var.stop_timeout_seconds >= tonumber(lookup(var.environment, "SHUTDOWN_DELAY_MS", "5000")) / 1000 + 10, false)
    error_message = "stop_timeout_seconds must be at least 10 seconds more than SHUTDOWN_DELAY_MS, or a stop would end before what is in flight has."
  }
}

variable "wait_for_steady_state" {
  description = "Whether an apply waits until the new tasks run, and fails if they do not."
  type        = bool
  default     = false
  nullable    = false
}

variable "metrics_reader_cidr_blocks" {
  description = "IPv4 ranges inside the VPC from which Prometheus reads /metrics of each task, on port 9464; the load balancer then shows it to nobody."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for block in var.metrics_reader_cidr_blocks : can(cidrhost(block, 0)) && block != "0.0.0.0/0"])
    error_message = "metrics_reader_cidr_blocks must be IPv4 ranges such as 10.80.0.0/16, and not everybody."
  }
}

variable "api_base_path" {
  description = "Where the API begins."
  type        = string
  default     = "/v1"
  nullable    = false

  validation {
    condition     = can(regex("^(/[A-Za-z0-9_-]+)+$", var.api_base_path))
    error_message = "api_base_path must be a path such as /v1."
  }
}

variable "csp_base_url" {
  description = "Address of the CSP, such as https://csp.example/v2."
  type        = string

  validation {
    condition     = can(regex("^https://[^/]+(/.*)?$", var.csp_base_url))
    error_message = "csp_base_url must be an https address: its token must not travel in the clear."
  }

  validation {
    condition     = !can(regex("^[a-z]+://[^/]*@", var.csp_base_url))
    error_message = "csp_base_url must hold no user and no password: everyone who may read the task definition would see them. The token belongs into the secret csp-api-token."
  }

  # The security group of the tasks lets out to 443 alone.
  validation {
    condition     = !can(regex("^[a-z]+://[^/]*:[0-9]+(/|$)", var.csp_base_url)) || can(regex("^[a-z]+://[^/]*:443(/|$)", var.csp_base_url))
    error_message = "csp_base_url must have no port other than 443: the tasks are not let out to any other."
  }
}

variable "environment" {
  description = "Further settings of the broker, such as { LAB_DURATION_HOURS = \"4\", STATUS_SHARDS = \"4\" }; .env.example lists them. No secrets; LOG_FORMAT is always json."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for variable in keys(var.environment) : can(regex("^[A-Z][A-Z0-9_]*$", variable))])
    error_message = "environment must have names of capital letters, digits and \"_\"."
  }

  validation {
    condition     = length([for variable in keys(var.environment) : variable if can(regex("(TOKEN|PASSWORD|SECRET|ACCESS_KEY|ACCESS_KEY_ID)$", variable))]) == 0
    error_message = "environment must hold no secrets: everyone who may read the task definition would see them."
  }

  # Results of jobs and allocations are logged at the level info, and alarms on their absence would go off for ever.
  validation {
    condition     = !(var.alarms || var.dashboard) || contains(["info", "debug", "trace"], lookup(var.environment, "LOG_LEVEL", "info"))
    error_message = "LOG_LEVEL must be info, debug or trace where alarms or dashboard is true: their metrics are made from what is logged at info."
  }
}

variable "jobs_run_in" {
  description = "\"service\": every task runs the jobs beside its requests, one at a time among all of them. \"scheduled_tasks\": EventBridge Scheduler starts a task for each run, and the service only answers requests; the tasks are charged by second, a minute at least."
  type        = string
  default     = "service"
  nullable    = false

  validation {
    condition     = contains(["service", "scheduled_tasks"], var.jobs_run_in)
    error_message = "jobs_run_in must be \"service\" or \"scheduled_tasks\"."
  }
}

variable "job_schedules" {
  description = "When each job runs where jobs_run_in is \"scheduled_tasks\": its name and rate(...) or cron(...) in UTC."
  type        = map(string)
  default = {
    sync       = "rate(10 minutes)"
    cleanup    = "rate(5 minutes)"
    expiry     = "rate(5 minutes)"
    stale      = "rate(1 hour)"
    statistics = "rate(5 minutes)"
  }
  nullable = false

  validation {
    condition     = alltrue([for job in keys(var.job_schedules) : contains(["sync", "cleanup", "expiry", "stale", "statistics"], job)])
    error_message = "job_schedules must name jobs that there are: sync, cleanup, expiry, stale and statistics."
  }
}

variable "container_insights" {
  description = "Container Insights of the cluster: \"disabled\", \"enabled\" or \"enhanced\"; the latter two are charged as custom metrics."
  type        = string
  default     = "disabled"
  nullable    = false
}

variable "github_deployments" {
  description = "The GitHub repository (owner/name) and its environment whose workflow puts images into this installation: a role is made for it that it takes without a key. oidc_provider_arn is the account's identity provider for token.actions.githubusercontent.com; null makes it, and an account can have one. null makes nothing."
  type = object({
    repository        = string
    environment       = string
    oidc_provider_arn = optional(string)
  })
  default = null
}
