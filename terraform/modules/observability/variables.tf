variable "name" {
  description = "Prefix of the names of everything here and namespace of the metrics."
  type        = string
}

variable "log_retention_days" {
  description = "Days for which logs are kept."
  type        = number

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "log_retention_days must be one that CloudWatch Logs takes, such as 7, 14, 30, 90, 180 or 365."
  }
}

variable "kms_key_arn" {
  description = "Key that encrypts the logs and the alarm topic; its policy must let CloudWatch and CloudWatch Logs use it. null leaves encryption to AWS."
  type        = string
}

variable "saved_queries" {
  description = "Whether to save queries of the logs in CloudWatch Logs Insights."
  type        = bool
}

variable "alarms" {
  description = "Whether to make the alarms."
  type        = bool
}

variable "alarm_topic_arn" {
  description = "Topic that alarms go to; null makes one."
  type        = string
}

variable "alarm_email_addresses" {
  description = "Addresses that get the alarms, each after confirming."
  type        = set(string)
}

variable "alarm_thresholds" {
  description = "Where alarms go off."
  type = object({
    failed_requests_in_five_minutes = number
    slow_request_seconds            = number
    cpu_percent                     = number
    memory_percent                  = number
    errors_logged_in_five_minutes   = number
    hours_without_sync              = number
    hours_without_cleanup           = number
    hours_without_expiry            = number
    available_percent               = number
    waiting_deletions               = number
  })
}

variable "dashboard" {
  description = "Whether to make the dashboard."
  type        = bool
}

variable "load_balancer_arn_suffix" {
  description = "How metrics name the load balancer."
  type        = string
}

variable "target_group_arn_suffix" {
  description = "How metrics name the target group."
  type        = string
}

variable "cluster_name" {
  description = "ECS cluster of the service."
  type        = string
}

variable "service_name" {
  description = "ECS service."
  type        = string
}

variable "serves" {
  description = "Whether the service is meant to run: one that stands still neither answers nor syncs, and no alarm shall say so."
  type        = bool
}

variable "table_name" {
  description = "The table."
  type        = string
}

variable "index_names" {
  description = "Its indexes."
  type        = list(string)
}

variable "web_acl_name" {
  description = "How metrics name the web ACL; null without one."
  type        = string
}

variable "failed_schedules_queue_name" {
  description = "Queue of the jobs that could not be started; null where jobs run in the service."
  type        = string
}

variable "tags" {
  description = "Tags of everything that takes tags."
  type        = map(string)
}
