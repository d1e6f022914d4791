variable "name" {
  description = "Name of the load balancer."
  type        = string
}

variable "vpc_id" {
  description = "VPC of the load balancer and its targets."
  type        = string
}

variable "subnet_ids" {
  description = "Subnets of the load balancer, in two zones or more."
  type        = list(string)

  validation {
    condition     = length(var.subnet_ids) >= 2
    error_message = "subnet_ids must be two or more, in different zones."
  }
}

variable "internal" {
  description = "Whether the load balancer is reachable only from inside the VPC and what is connected to it."
  type        = bool
}

variable "certificate_arn" {
  description = "Certificate of the HTTPS listener; null makes one for domain."
  type        = string
}

variable "domain" {
  description = "Name under which the broker is reached and the Route 53 zone in which it is made; null makes no name."
  type = object({
    name           = string
    hosted_zone_id = string
  })
}

variable "tls_policy" {
  description = "Security policy of the HTTPS listener."
  type        = string

  validation {
    condition     = startswith(var.tls_policy, "ELBSecurityPolicy-TLS13-1-2-") || startswith(var.tls_policy, "ELBSecurityPolicy-TLS13-1-3-")
    error_message = "tls_policy must be one of ELBSecurityPolicy-TLS13-1-2-* or -1-3-*: TLS below 1.2 is not offered."
  }
}

variable "client_cidr_blocks" {
  description = "Addresses from which the public paths are reachable."
  type        = list(string)
}

variable "operator_cidr_blocks" {
  description = "Addresses from which every path is reachable, /metrics and the admin routes among them."
  type        = list(string)
}

variable "public_paths" {
  description = "Path patterns that every client reaches; anything else is 404 but for operators."
  type        = list(string)
}

variable "container_port" {
  description = "Port on which the tasks listen."
  type        = number
}

variable "deregistration_delay_seconds" {
  description = "Seconds that a leaving task has to finish its requests."
  type        = number
}

variable "deletion_protection" {
  description = "Whether the load balancer refuses to be deleted."
  type        = bool
}

variable "access_logs" {
  description = "Where the access logs go: a bucket that exists, or, with bucket null, a new one that keeps them for retention_days; null writes none."
  type = object({
    bucket         = optional(string)
    prefix         = optional(string)
    retention_days = optional(number, 90)
  })
}

variable "tags" {
  description = "Tags of everything that takes tags."
  type        = map(string)
}
