variable "name" {
  description = "Name of this installation: prefix of the names of everything that it makes."
  type        = string
  default     = "sandbox-broker"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z]([a-z0-9-]{1,22})[a-z0-9]$", var.name)) && !startswith(var.name, "internal-") && !strcontains(var.name, "--")
    error_message = "name must be 3 to 24 lower-case letters, digits and single hyphens, begin with a letter and not with \"internal-\"."
  }
}

variable "tags" {
  description = "Tags of everything that takes tags."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for key in keys(var.tags) : !startswith(lower(key), "aws:") && key != "Name"])
    error_message = "tags must not contain Name, which is set here, nor keys that begin with \"aws:\"."
  }
}

variable "deletion_protection" {
  description = "Whether the table, the load balancer, the user pool and the repository refuse to be deleted while they hold something."
  type        = bool
  default     = true
  nullable    = false
}

variable "kms_key_arn" {
  description = "Key that encrypts the table, the secrets, the logs, the images and the alarm topic. null: keys of AWS encrypt them, free of charge."
  type        = string
  default     = null

  validation {
    condition     = var.kms_key_arn == null || can(regex("^arn:[a-z-]+:kms:[a-z0-9-]+:[0-9]{12}:key/.+$", var.kms_key_arn))
    error_message = "kms_key_arn must be the ARN of a key, not of an alias."
  }
}
