variable "name" {
  description = "Name of the user pool and prefix of the names of its clients."
  type        = string
}

variable "domain_prefix" {
  description = "First part of the address that issues tokens; unique in the region."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$", var.domain_prefix)) && length(regexall("aws|amazon|cognito", var.domain_prefix)) == 0
    error_message = "domain_prefix must be 1 to 63 lower-case letters, digits and hyphens, without \"aws\", \"amazon\" or \"cognito\"."
  }
}

variable "scope_prefix" {
  description = "What stands before /allocate and /admin in the scopes."
  type        = string

  validation {
    condition     = can(regex("^[\\x21\\x23-\\x5B\\x5D-\\x7E]{1,200}$", var.scope_prefix))
    error_message = "scope_prefix must be 1 to 200 printable characters without space, backslash or quotation mark."
  }
}

variable "token_validity_minutes" {
  description = "Minutes for which an access token is valid."
  type        = number

  validation {
    condition     = var.token_validity_minutes >= 5 && var.token_validity_minutes <= 1440
    error_message = "token_validity_minutes must be 5 to 1440."
  }
}

variable "deletion_protection" {
  description = "Whether the user pool refuses to be deleted."
  type        = bool
}

variable "tags" {
  description = "Tags of everything that takes tags."
  type        = map(string)
}
