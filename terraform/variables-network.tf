variable "vpc_cidr_block" {
  description = "Addresses of the VPC, a /16 to /22."
  type        = string
  default     = "10.80.0.0/16"
  nullable    = false
}

variable "availability_zone_count" {
  description = "Availability zones that are used, 2 to 4. Every zone more is one more public address of the load balancer and, where chosen, NAT gateway and interface endpoint."
  type        = number
  default     = 2
  nullable    = false
}

variable "nat_gateways" {
  description = "Way of the tasks to the internet, and so to the CSP: \"none\" gives each task a public address that nothing can connect to; \"one\" shares one NAT gateway, which is charged by hour and by GB; \"one_per_zone\" survives the loss of a zone and is charged that many times."
  type        = string
  default     = "none"
  nullable    = false
}

variable "interface_endpoints" {
  description = "AWS services that tasks reach inside the VPC, each charged per zone and hour: some of \"ecr.api\", \"ecr.dkr\", \"logs\", \"secretsmanager\", \"kms\". DynamoDB and S3 have endpoints of their own, free of charge."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition     = length(setsubtract(var.interface_endpoints, ["ecr.api", "ecr.dkr", "logs", "secretsmanager", "kms"])) == 0
    error_message = "interface_endpoints may contain ecr.api, ecr.dkr, logs, secretsmanager and kms: the tasks call nothing else by interface."
  }
}

variable "flow_log_retention_days" {
  description = "Days for which flow logs of the VPC are kept; null writes none. They are charged by GB."
  type        = number
  default     = null

  validation {
    condition     = var.flow_log_retention_days == null || try(contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365], var.flow_log_retention_days), false)
    error_message = "flow_log_retention_days must be null or one that CloudWatch Logs takes, such as 7, 14, 30 or 90."
  }
}

variable "existing_network" {
  description = "A network that is there already, instead of a new one. Its tasks must reach the internet: by a NAT gateway, or by public addresses."
  type = object({
    vpc_id                      = string
    load_balancer_subnet_ids    = list(string)
    task_subnet_ids             = list(string)
    tasks_need_public_addresses = bool
  })
  default = null

  validation {
    condition     = var.existing_network == null || try(length(var.existing_network.load_balancer_subnet_ids) >= 2 && length(var.existing_network.task_subnet_ids) >= 1, false)
    error_message = "existing_network must name two subnets or more for the load balancer and one or more for the tasks."
  }
}
