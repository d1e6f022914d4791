variable "secret_delivery" {
  description = "\"reload\": the broker reads its tokens from Secrets Manager and again while it runs, so that a rotation needs no deployment. \"environment\": ECS puts them into the environment when a task starts."
  type        = string
  default     = "reload"
  nullable    = false

  validation {
    condition     = contains(["reload", "environment"], var.secret_delivery)
    error_message = "secret_delivery must be \"reload\" or \"environment\"."
  }
}

variable "broker_api_token" {
  description = "Token of the track routes, written but never kept in plan or state; the module random-tokens makes one. null where somebody puts it into its secret by other means."
  type        = string
  default     = null
  sensitive   = true
  ephemeral   = true
}

variable "broker_admin_token" {
  description = "Token of the admin routes, in the same way; another one than broker_api_token."
  type        = string
  default     = null
  sensitive   = true
  ephemeral   = true
}

variable "broker_token_version" {
  description = "0: Terraform does not write the broker's tokens. 1 or more: it does, and again whenever the number is raised, which is a rotation: the previous tokens stay valid until the next one."
  type        = number
  default     = 0
  nullable    = false
}

variable "csp_api_token" {
  description = "Token of the CSP, in the same way."
  type        = string
  default     = null
  sensitive   = true
  ephemeral   = true
}

variable "csp_api_token_version" {
  description = "0: Terraform does not write the token of the CSP. 1 or more: it does, and again whenever the number is raised."
  type        = number
  default     = 0
  nullable    = false
}

variable "niosxaas" {
  description = "Turns the NIOSXaaS clean-up before a deletion on, with the login of this e-mail address; its password stands in a secret of its own, and the other NIOSXAAS_* settings go into environment. null leaves it off."
  type        = object({ email = string })
  default     = null

  validation {
    condition     = var.niosxaas == null || can(regex("^[^@\\s]+@[^@\\s]+$", var.niosxaas.email))
    error_message = "niosxaas.email must be an e-mail address."
  }
}

variable "secret_recovery_window_days" {
  description = "Days for which a deleted secret can be restored: 7 to 30, or 0 to delete at once."
  type        = number
  default     = 30
  nullable    = false
}

variable "secret_replica_regions" {
  description = "Other regions that get copies of the secrets; each copy is charged like a secret."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for region in var.secret_replica_regions : can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", region))])
    error_message = "secret_replica_regions must be regions such as eu-west-1."
  }
}

variable "existing_secret_arns" {
  description = "Secrets that are there already, instead of new ones: those that an installation in another region replicates, or that something else manages."
  type = object({
    broker_api_token   = string
    broker_admin_token = string
    csp_api_token      = string
    niosxaas_password  = optional(string)
  })
  default = null

  validation {
    condition     = var.existing_secret_arns == null || try(alltrue([for arn in values(var.existing_secret_arns) : arn == null || can(regex("^arn:[a-z-]+:secretsmanager:", arn))]), false)
    error_message = "existing_secret_arns must be ARNs of secrets."
  }

  validation {
    condition     = var.existing_secret_arns == null || var.niosxaas == null || try(var.existing_secret_arns.niosxaas_password != null, false)
    error_message = "existing_secret_arns must name niosxaas_password where niosxaas is set."
  }
}

variable "user_pool" {
  description = "A Cognito user pool that issues access tokens to machines, with the scopes <scope_prefix>/allocate and <scope_prefix>/admin. null makes none. Tokens are charged one by one."
  type = object({
    domain_prefix          = string
    scope_prefix           = optional(string, "sandbox-broker")
    token_validity_minutes = optional(number, 60)
  })
  default = null
}
