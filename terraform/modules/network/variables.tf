variable "name" {
  description = "Prefix of the names of everything in the network."
  type        = string
}

variable "cidr_block" {
  description = "Addresses of the VPC, a /16 to /22; each zone takes two of 16 equal parts of it."
  type        = string

  validation {
    condition     = can(cidrhost(var.cidr_block, 0)) && try(tonumber(split("/", var.cidr_block)[1]) >= 16 && tonumber(split("/", var.cidr_block)[1]) <= 22, false)
    error_message = "cidr_block must be an IPv4 range between /16 and /22, such as 10.80.0.0/16."
  }
}

variable "availability_zone_count" {
  description = "How many availability zones to use."
  type        = number

  validation {
    condition     = var.availability_zone_count >= 2 && var.availability_zone_count <= 4
    error_message = "availability_zone_count must be 2, 3 or 4: an application load balancer needs two."
  }
}

variable "nat_gateways" {
  description = "Way of the tasks to the internet: \"none\" (public addresses on the tasks), \"one\" (one gateway for all zones) or \"one_per_zone\"."
  type        = string

  validation {
    condition     = contains(["none", "one", "one_per_zone"], var.nat_gateways)
    error_message = "nat_gateways must be \"none\", \"one\" or \"one_per_zone\"."
  }
}

variable "interface_endpoints" {
  description = "AWS services that are reached through interface endpoints, such as \"ecr.api\"; each is charged per zone and hour."
  type        = set(string)
}

variable "flow_log_retention_days" {
  description = "Days for which flow logs of the VPC are kept; null writes none."
  type        = number
}

variable "kms_key_arn" {
  description = "Key that encrypts the flow logs; null leaves that to CloudWatch Logs."
  type        = string
}

variable "tags" {
  description = "Tags of everything that takes tags."
  type        = map(string)
}
