variable "region" {
  description = "Region of the installation."
  type        = string
  default     = "eu-central-1"
}

variable "domain" {
  description = "Name of the broker and the Route 53 zone in which it is made."
  type = object({
    name           = string
    hosted_zone_id = string
  })
}

variable "csp_base_url" {
  description = "Address of the CSP."
  type        = string
}

variable "image_tag" {
  description = "Tag of the image that was pushed to the repository."
  type        = string
}

variable "operator_cidr_blocks" {
  description = "Networks of the operators."
  type        = list(string)
}

variable "alarm_email_addresses" {
  description = "Who gets the alarms."
  type        = set(string)
}

variable "github_deployments" {
  description = "GitHub repository and environment that deploy; null where nobody does."
  type = object({
    repository        = string
    environment       = string
    oidc_provider_arn = optional(string)
  })
  default = null
}
