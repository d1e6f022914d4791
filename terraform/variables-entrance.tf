variable "certificate_arn" {
  description = "Certificate of the HTTPS listener. null: domain is set, and a certificate is made for it."
  type        = string
  default     = null

  validation {
    condition     = var.certificate_arn == null || can(regex("^arn:[a-z-]+:(acm|iam):", var.certificate_arn))
    error_message = "certificate_arn must be the ARN of a certificate in ACM or IAM."
  }

  validation {
    condition     = var.certificate_arn != null || var.domain != null
    error_message = "Set certificate_arn or domain: the broker is served by HTTPS only."
  }
}

variable "domain" {
  description = "Name under which the broker is reached, and the Route 53 zone in which that name is made. null makes no name."
  type = object({
    name           = string
    hosted_zone_id = string
  })
  default = null

  validation {
    condition     = var.domain == null || can(regex("^([a-z0-9]([a-z0-9-]*[a-z0-9])?\\.)+[a-z]{2,}$", var.domain.name))
    error_message = "domain.name must be a full name such as broker.labs.example."
  }
}

variable "internal" {
  description = "Whether the load balancer is reachable only from inside the VPC and the networks connected to it."
  type        = bool
  default     = false
  nullable    = false
}

variable "client_cidr_blocks" {
  description = "IPv4 ranges from which the track routes are reachable."
  type        = list(string)
  default     = ["0.0.0.0/0"]
  nullable    = false

  validation {
    condition     = alltrue([for block in var.client_cidr_blocks : can(cidrhost(block, 0))])
    error_message = "client_cidr_blocks must be IPv4 ranges such as 203.0.113.0/24."
  }
}

variable "operator_cidr_blocks" {
  description = "IPv4 ranges from which everything is reachable: /metrics, /readyz, the admin routes and the documentation too. Empty: those are closed to all that comes by the load balancer."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for block in var.operator_cidr_blocks : can(cidrhost(block, 0))])
    error_message = "operator_cidr_blocks must be IPv4 ranges such as 203.0.113.0/24."
  }

  validation {
    condition     = !contains(var.operator_cidr_blocks, "0.0.0.0/0")
    error_message = "operator_cidr_blocks must not be everybody; to open single paths to all clients there is additional_public_paths."
  }
}

variable "additional_public_paths" {
  description = "Path patterns that are open to all clients besides /healthz and the track routes, for example [\"/docs\", \"/v1/docs\", \"/v1/docs/*\", \"/v1/openapi.json\"]."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for path in var.additional_public_paths : can(regex("^/[A-Za-z0-9_.$/~\"'@:+&?*-]{0,127}$", path))])
    error_message = "additional_public_paths must be path patterns such as /v1/docs/*, of 128 characters at most."
  }
}

variable "tls_policy" {
  description = "Security policy of the HTTPS listener; TLS 1.2 at least."
  type        = string
  default     = "ELBSecurityPolicy-TLS13-1-2-Res-2021-06"
  nullable    = false
}

variable "access_logs" {
  description = "Access logs of the load balancer: into a bucket that exists (bucket), or, with bucket null, into a new one that keeps them for retention_days. null writes none. Storage is charged."
  type = object({
    bucket         = optional(string)
    prefix         = optional(string)
    retention_days = optional(number, 90)
  })
  default = null

  validation {
    condition     = var.access_logs == null || try(var.access_logs.retention_days >= 1, false)
    error_message = "access_logs.retention_days must be positive."
  }
}

variable "firewall" {
  description = "Whether AWS WAF stands before the load balancer. Charged by month, by rule and by request."
  type        = bool
  default     = false
  nullable    = false
}

variable "firewall_requests_per_address" {
  description = "Requests in five minutes from one address that the firewall lets pass. A class of 1,000 comes from one address and may send ten requests a student."
  type        = number
  default     = 20000
  nullable    = false
}

variable "firewall_requests_per_caller" {
  description = "Requests in five minutes with one caller id from one address that the firewall lets pass."
  type        = number
  default     = 600
  nullable    = false
}
