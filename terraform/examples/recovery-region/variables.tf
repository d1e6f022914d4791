variable "region" {
  description = "Region that serves."
  type        = string
  default     = "eu-central-1"
}

variable "recovery_region" {
  description = "Region that takes over by hand."
  type        = string
  default     = "eu-west-1"
}

variable "serving_region_lost" {
  description = "Set to true to let the recovery region serve; see main.tf first."
  type        = bool
  default     = false
}

variable "certificate_arn" {
  description = "Certificate in the region that serves."
  type        = string
}

variable "recovery_certificate_arn" {
  description = "Certificate of the same name in the recovery region."
  type        = string
}

variable "csp_base_url" {
  description = "Address of the CSP."
  type        = string
}

variable "image_tag" {
  description = "Tag of the image that was pushed to both repositories."
  type        = string
}
