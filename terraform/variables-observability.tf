variable "log_retention_days" {
  description = "Days for which the logs of the broker are kept."
  type        = number
  default     = 30
  nullable    = false
}

variable "saved_queries" {
  description = "Whether queries of the logs are saved in CloudWatch Logs Insights. Saving is free; running them is charged by GB."
  type        = bool
  default     = true
  nullable    = false
}

variable "alarms" {
  description = "Whether alarms are made. Each is charged by month, and so are the metrics from the logs that some of them watch."
  type        = bool
  default     = false
  nullable    = false
}

variable "alarm_topic_arn" {
  description = "Topic that alarms go to; null makes one."
  type        = string
  default     = null

  validation {
    condition     = var.alarm_topic_arn == null || can(regex("^arn:[a-z-]+:sns:", var.alarm_topic_arn))
    error_message = "alarm_topic_arn must be the ARN of an SNS topic."
  }
}

variable "alarm_email_addresses" {
  description = "Addresses that get the alarms, each after it has confirmed."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for address in var.alarm_email_addresses : can(regex("^[^@ ]+@[^@ ]+$", address))])
    error_message = "alarm_email_addresses must be e-mail addresses."
  }

  validation {
    condition     = length(var.alarm_email_addresses) == 0 || (var.alarms && var.alarm_topic_arn == null)
    error_message = "alarm_email_addresses belong to the topic that is made here: set alarms to true and alarm_topic_arn to null."
  }
}

variable "alarm_thresholds" {
  description = "Where alarms go off."
  type = object({
    failed_requests_in_five_minutes = optional(number, 5)
    slow_request_seconds            = optional(number, 2)
    cpu_percent                     = optional(number, 85)
    memory_percent                  = optional(number, 85)
    errors_logged_in_five_minutes   = optional(number, 5)
    hours_without_sync              = optional(number, 1)
    hours_without_cleanup           = optional(number, 2)
    hours_without_expiry            = optional(number, 1)
    available_percent               = optional(number, 10)
    waiting_deletions               = optional(number, 100)
  })
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for threshold in values(var.alarm_thresholds) : threshold > 0])
    error_message = "alarm_thresholds must be positive."
  }

  validation {
    condition     = alltrue([for job in ["sync", "cleanup", "expiry"] : var.alarm_thresholds["hours_without_${job}"] <= 24 && floor(var.alarm_thresholds["hours_without_${job}"]) == var.alarm_thresholds["hours_without_${job}"]])
    error_message = "alarm_thresholds.hours_without_* must be whole numbers, 24 at most."
  }
}

variable "dashboard" {
  description = "Whether a CloudWatch dashboard is made; an account has three free of charge."
  type        = bool
  default     = false
  nullable    = false
}
