variable "name" {
  description = "Prefix of the names of the secrets."
  type        = string
}

variable "kms_key_arn" {
  description = "Key that encrypts the secrets; null uses the key aws/secretsmanager of the account, free of charge."
  type        = string
}

variable "recovery_window_days" {
  description = "Days for which a deleted secret can be restored; 0 deletes at once."
  type        = number

  validation {
    condition     = var.recovery_window_days == 0 || (var.recovery_window_days >= 7 && var.recovery_window_days <= 30)
    error_message = "recovery_window_days must be 0, or 7 to 30."
  }
}

variable "replica_regions" {
  description = "Other regions that get a copy of each secret; each copy is charged like a secret."
  type        = set(string)
}

variable "broker_api_token" {
  description = "Token of the track routes, written but never kept in plan or state; the module random-tokens makes one. null where somebody puts it into its secret by other means."
  type        = string
  sensitive   = true
  ephemeral   = true
}

variable "broker_admin_token" {
  description = "Token of the admin routes, in the same way; another one than broker_api_token."
  type        = string
  sensitive   = true
  ephemeral   = true
}

variable "broker_token_version" {
  description = "0: Terraform does not write the broker's tokens. 1 or more: it does, and again whenever the number is raised, which is a rotation: the previous tokens stay valid until the next one."
  type        = number

  validation {
    condition     = var.broker_token_version >= 0 && floor(var.broker_token_version) == var.broker_token_version
    error_message = "broker_token_version must be a whole number, at least 0."
  }
}

variable "csp_api_token" {
  description = "Token of the CSP, in the same way."
  type        = string
  sensitive   = true
  ephemeral   = true
}

variable "csp_api_token_version" {
  description = "0: Terraform does not write csp_api_token. 1 or more: it does, again whenever the number is raised."
  type        = number

  validation {
    condition     = var.csp_api_token_version >= 0 && floor(var.csp_api_token_version) == var.csp_api_token_version
    error_message = "csp_api_token_version must be a whole number, at least 0."
  }
}

variable "with_niosxaas" {
  description = "Whether there is a secret for the password of the NIOSXaaS clean-up too."
  type        = bool
}

variable "tags" {
  description = "Tags of everything that takes tags."
  type        = map(string)
}
