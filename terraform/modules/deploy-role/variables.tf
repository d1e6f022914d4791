variable "name" {
  description = "Prefix of the name of the role."
  type        = string
}

variable "repository" {
  description = "GitHub repository whose workflow deploys, as owner/name."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9-]+/[A-Za-z0-9_.-]+$", var.repository))
    error_message = "repository must be owner/name: a wildcard would let others deploy."
  }
}

variable "environment" {
  description = "GitHub environment in which it does."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9_.-]+$", var.environment))
    error_message = "environment must be a name of letters, digits, \"_\", \".\" and \"-\": a wildcard would let every branch deploy."
  }
}

variable "oidc_provider_arn" {
  description = "The account's identity provider for token.actions.githubusercontent.com; null makes it."
  type        = string
}

variable "repository_arn" {
  description = "ECR repository into which images are copied; null where they come from elsewhere."
  type        = string
}

variable "cluster_name" {
  description = "Cluster of the service."
  type        = string
}

variable "service_name" {
  description = "The service."
  type        = string
}

variable "task_definition_family" {
  description = "Its task definition without the revision."
  type        = string
}

variable "role_arns" {
  description = "Roles that are passed to the tasks: the task role and the execution role."
  type        = list(string)
}

variable "tags" {
  description = "Tags of everything that takes tags."
  type        = map(string)
}
