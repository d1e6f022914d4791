variable "name" {
  description = "Prefix of the names of the schedules, their group, role and queue."
  type        = string
}

variable "schedules" {
  description = "When each job runs, by its name: \"rate(...)\" or \"cron(...)\" in UTC."
  type        = map(string)

  validation {
    condition     = length(var.schedules) > 0 && alltrue([for job, schedule in var.schedules : can(regex("^[a-z][a-z-]*$", job)) && can(regex("^(rate|cron)\\(.+\\)$", schedule))])
    error_message = "schedules must name a job and rate(...) or cron(...) for it."
  }
}

variable "running" {
  description = "Whether the schedules run; false keeps them for later."
  type        = bool
}

variable "cluster_arn" {
  description = "Cluster in which the jobs run."
  type        = string
}

variable "cluster_name" {
  description = "Name of that cluster."
  type        = string
}

variable "task_definition_family" {
  description = "Task definition of the jobs, without its revision: each run takes the newest one."
  type        = string
}

variable "container_name" {
  description = "Container whose command is replaced."
  type        = string
}

variable "subnet_ids" {
  description = "Subnets of the tasks."
  type        = list(string)
}

variable "security_group_id" {
  description = "Security group of the tasks."
  type        = string
}

variable "assign_public_ip" {
  description = "Whether the tasks get public addresses."
  type        = bool
}

variable "role_arns" {
  description = "Roles that are passed to the tasks: the task role and the execution role."
  type        = list(string)
}

variable "tags" {
  description = "Tags of everything that takes tags."
  type        = map(string)
}
